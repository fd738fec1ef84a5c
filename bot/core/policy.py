"""The bars: from which probability on a level or a topic counts."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.model import Level
from bot.core.weigh import Weighed


@dataclass(frozen=True, slots=True)
class Policy:
    """The thresholds on probabilities (0 to 1).

    `crisis` and `escalates` are the bars for those levels. `python -m bot weigh` prints what
    each bar costs on voices left out. `unspoken` is the bar for despair that no signal sees: it
    is like everyday talk of going, leaving and reminding. The bars `_elsewhere` are for other
    languages, whose odds are weighed by a table of their own; `few_elsewhere` is the one for an
    emergency in a few words, of which its reader knows little ("cannot sleep"). All were chosen
    by a sweep over the proving voices and two dev sets, so figures on those are not blind to them.

    From `asks` on, or from `asks_backed` on where a signal was seen, or `asks_figurative` where
    there is only a manner of speaking ("dying to know"), the reply asks whether it happens now.
    `outside`, `sure`, `margin` and `offered` are bars for topics.
    An answer less likely than `alone` stands beside up to three others, each at least `beside`.
    Where suicide was said and no sign of an emergency was seen, it is an emergency from
    `outweighs` on.
    """

    crisis: float = 0.10
    escalates: float = 0.25
    unspoken: float = 0.25
    crisis_elsewhere: float = 0.06
    escalates_elsewhere: float = 0.25
    few_elsewhere: float = 0.20
    signed_elsewhere: float = 0.05
    outweighs: float = 0.5
    asks: float = 0.08
    asks_backed: float = 0.05
    asks_figurative: float = 0.25
    outside: float = 0.5
    sure: float = 0.45
    margin: float = 0.08
    offered: float = 0.06
    alone: float = 0.9
    beside: float = 0.03

    def level(
        self,
        weighed: Weighed,
        *,
        signs: bool,
        suicide_said: bool = False,
        grave_sign: bool = False,
        grave_said: bool = False,
        attempt_said: bool = False,
        english: bool = True,
        few: bool = False,
    ) -> Level:
        """The level by probability; between the two crises the likelier one. `signs` is
        whether any signal was seen, `grave_sign` whether one of an emergency was: where none of
        suicide was, the card is that of an emergency. `grave_said` is whether one was seen that
        counts by itself, `attempt_said` whether one of a suicide attempt was: help must come for
        that first. `suicide_said` is whether suicide was said in so many words and
        nothing held it back: nine of ten such messages mean it, so that is enough, however sure
        the learned reader is of a harmless question beside it. In other languages than English,
        where we know few signs, one of those needs little more. `few` is whether the message has
        but a few words.
        """
        if grave_said:
            return Level.EMERGENCY
        least = self.outweighs if suicide_said and not grave_sign else 0.0
        emergency_first = weighed.emergency >= max(weighed.suicide_crisis, least)
        emergency_first |= attempt_said or (grave_sign and not suicide_said)
        unspoken = not signs and weighed.suicide_crisis > max(weighed.emergency, weighed.urgent)
        crisis, escalates = (
            (self.unspoken, self.unspoken) if unspoken else (self.crisis, self.escalates)
        )
        if not english:
            signed = grave_sign or suicide_said
            doubtful = few and weighed.emergency >= weighed.suicide_crisis
            unsigned = self.few_elsewhere if doubtful else self.crisis_elsewhere
            crisis = self.signed_elsewhere if signed else unsigned
            escalates = self.escalates_elsewhere
        if weighed.crisis >= crisis:
            return Level.EMERGENCY if emergency_first else Level.SUICIDE_CRISIS
        if suicide_said:
            return Level.EMERGENCY if attempt_said else Level.SUICIDE_CRISIS
        return Level.URGENT if weighed.escalates >= escalates else Level.OUT_OF_SCOPE
