"""Three readers, one verdict: signals with scope, the learned reader, the nearest examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.core.knowledge import kind_of, label_of, level_of
from bot.core.learn import Learned, LearnedReading, Nearest
from bot.core.model import Assessment, Candidate, Evidence, Level
from bot.core.policy import Policy
from bot.core.repair import Vocabulary, repair
from bot.core.signals import Signals
from bot.core.text import HEAD, TAIL, Utterance, normalise
from bot.core.tongues import FEW_WORDS
from bot.core.triage import Hit, SignalReading, read_signals
from bot.core.understand import Detail, Outcome, Reading
from bot.core.weigh import Weighed, weigh
from bot.core.words import Lexicon

Embed = Callable[[str], Any]
SHOWN = 5
# What a signal adds to the odds of its kind, and one that counts by itself.
BACKED, PLAINLY = 0.25, 1.0
BESIDE = 3  # other topics that may stand beside an answer
# The share of the n-grams in other languages, where the English embedding model must do for them.
GRAMS_ELSEWHERE = 0.6


@dataclass(frozen=True, slots=True)
class Understood:
    """What a learned reader made of a message; `embedding` is None without a model."""

    reading: LearnedReading
    learned: Learned
    embedding: Any

    def nearest(
        self, utterance: Utterance, labels: Sequence[str], count: int
    ) -> tuple[Nearest, ...]:
        """The teaching examples of `labels` that are most like the message."""
        return self.learned.nearest(utterance.text, self.embedding, labels=labels, count=count)


@dataclass(frozen=True, slots=True)
class Taught:
    """A learned reader and the embedding model that it was taught with, if any.

    `as_typed`: the model sees the message in small letters as it was typed. Without accents
    and with slang spelt out, which is for English, other languages are hard to know.
    """

    learned: Learned
    embed: Embed | None
    as_typed: bool = False

    def read(self, utterance: Utterance, *, gram_weight: float | None = None) -> Understood:
        """What it makes of a message."""
        embedding = None
        if self.embed and utterance.tokens:
            seen = seen_elsewhere(utterance.raw) if self.as_typed else utterance.text
            embedding = self.embed(seen)
        reading = self.learned.read(utterance.text, embedding, gram_weight=gram_weight)
        return Understood(reading, self.learned, embedding)


@dataclass(frozen=True, slots=True)
class Readers:
    """Reads messages with all three readers. Total and deterministic.

    `embed` is None in lexical mode, when the embedding model is not there. `elsewhere` reads
    other languages than English; where it is not there, the English reader must do.
    """

    lexicon: Lexicon
    vocabulary: Vocabulary
    signals: Signals
    learned: Learned
    topics: Mapping[str, str]
    embed: Embed | None = None
    elsewhere: Taught | None = None
    language_of: Callable[[str], str] | None = None
    policy: Policy = Policy()  # noqa: RUF009 - a frozen value

    def read(self, text: str) -> Reading:
        """The reading of any string."""
        language = self.language_of(text) if self.language_of else ""
        english = is_english(language)
        utterance = prepared(text, self.lexicon, self.vocabulary, english=english)
        found = read_signals(utterance, self.signals)
        understood = self.understood(utterance, english=english)
        learned = understood.reading
        odds = Odds.of(learned, self.topics)
        weighed = weigh(odds.by_group, found, english=english)
        # In other languages we know few signs: that none was seen says little there.
        signs = bool(found.hits) or not english
        said = any(hit.level is Level.SUICIDE_CRISIS and not hit.hint for hit in found.hits)
        grave = [hit for hit in found.hits if hit.level is Level.EMERGENCY]
        level = self.policy.level(
            weighed,
            signs=signs,
            suicide_said=said,
            grave_sign=bool(grave),
            grave_said=any(hit.plain for hit in grave),
            attempt_said=any(hit.kind == "suicide_attempt" for hit in grave),
            english=english,
            few=len(utterance.tokens) < FEW_WORDS,
        )
        assessment = self._assessed(found, odds, learned, weighed, level)
        if assessment.level.escalates and not assessment.evidence:
            evidence = self._examples(utterance, understood, assessment)
            assessment = _with_evidence(assessment, evidence)
        candidates = self._candidates(learned)
        outcome = self._outcome(candidates, odds)
        return Reading(
            assessment=assessment,
            candidates=candidates,
            outcome=outcome,
            alternatives=self._alternatives(candidates) if outcome == "sure" else (),
            subject=found.subject,
            outside=self._outside(learned, odds),
            shortened=len(text) > HEAD + TAIL,
            language=language,
        )

    def prepare(self, text: str) -> Utterance:
        """The message normalised, with the typos of an English one repaired."""
        language = self.language_of(text) if self.language_of else ""
        return prepared(text, self.lexicon, self.vocabulary, english=is_english(language))

    def detail(self, text: str) -> Detail:
        """What each reader sees in a message."""
        english = is_english(self.language_of(text) if self.language_of else "")
        utterance = prepared(text, self.lexicon, self.vocabulary, english=english)
        found = read_signals(utterance, self.signals)
        understood = self.understood(utterance, english=english)
        best = list(understood.reading.probabilities.items())[:SHOWN]
        nearest = understood.nearest(utterance, [name for name, _ in best], count=3)
        return Detail(
            normalised=utterance.text,
            signals=tuple(f"{hit.level.label} {hit.rule}" for hit in found.hits),
            labels=tuple(f"{score:.2f} {name}" for name, score in best),
            nearest=tuple(f"{one.label}: {one.text}" for one in nearest),
            scopes=tuple(fact.name for fact in found.scopes),
        )

    def understood(self, utterance: Utterance, *, english: bool) -> Understood:
        """What the learned reader makes of a message, before the signals have their say."""
        if not english and self.elsewhere is not None:
            return self.elsewhere.read(utterance)
        share = None if english else GRAMS_ELSEWHERE
        return Taught(self.learned, self.embed).read(utterance, gram_weight=share)

    def _assessed(
        self,
        found: SignalReading,
        odds: Odds,
        learned: LearnedReading,
        weighed: Weighed,
        level: Level,
    ) -> Assessment:
        """What follows from the level that the readers are sure of, with its likeliest kind."""
        policy = self.policy
        if not level.escalates:
            unbacked = policy.asks_figurative if found.has("figurative") else policy.asks
            bar = policy.asks_backed if found.hits else unbacked
            # A danger sign that was seen is never passed over in silence.
            asks = weighed.escalates >= bar or any(hit.level.is_crisis for hit in found.hits)
            return Assessment(
                odds.calm_level,
                kind=_asked_label(found, odds) if asks else "",
                confidence=1 - weighed.escalates,
                asks=asks,
                near_misses=found.near_misses,
            )
        at_level = [hit for hit in found.hits if hit.level is level]
        others = [hit for hit in found.hits if hit.level is not level]
        return Assessment(
            level,
            kind=_kind(at_level, learned, level, self.topics),
            confidence=weighed.crisis if level.is_crisis else weighed.escalates,
            also=tuple(dict.fromkeys(hit.kind for hit in others)),
            evidence=tuple(dict.fromkeys(e for hit in found.hits for e in hit.evidence)),
            near_misses=found.near_misses,
        )

    def _candidates(self, learned: LearnedReading) -> tuple[Candidate, ...]:
        return tuple(
            Candidate(label, round(score, 4))
            for label, score in list(learned.probabilities.items())[:30]
            if label in self.topics
        )[:SHOWN]

    def _outcome(self, candidates: tuple[Candidate, ...], odds: Odds) -> Outcome:
        policy = self.policy
        if not candidates or odds.outside >= policy.outside:
            return "none"
        first = candidates[0].score
        second = candidates[1].score if len(candidates) > 1 else 0.0
        if first >= policy.sure or (first - second >= policy.margin and first > odds.outside):
            return "sure"
        return "unsure" if first >= policy.offered else "none"

    def _alternatives(self, candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        if candidates[0].score >= self.policy.alone:
            return ()
        return tuple(one for one in candidates[1 : 1 + BESIDE] if one.score >= self.policy.beside)

    def _outside(self, learned: LearnedReading, odds: Odds) -> str:
        if odds.outside < self.policy.outside:
            return ""
        labels = (name for name in learned.probabilities if name.startswith("out_of_scope/"))
        return kind_of(next(labels, ""))

    def _examples(
        self, utterance: Utterance, understood: Understood, found: Assessment
    ) -> tuple[Evidence, ...]:
        """The teaching examples nearest to the message, as its reason."""
        labels = [
            name
            for name in understood.reading.probabilities
            if level_of(name, self.topics) is found.level
        ][:2]
        nearest = understood.nearest(utterance, labels, count=2)
        return tuple(
            Evidence(
                f"learned:{one.label}",
                "example",
                0,
                len(utterance.raw),
                utterance.raw[:200],
                f"like the example: {one.text[:120]}",
            )
            for one in nearest
        )


@dataclass(frozen=True, slots=True)
class Odds:
    """The learned probabilities, added up by level."""

    emergency: float
    suicide: float
    urgent: float
    outside: float
    calm_level: Level
    best_escalating: str

    @property
    def by_group(self) -> tuple[float, float, float, float]:
        """The sums in the order of `weigh.GROUPS`."""
        escalates = self.emergency + self.suicide + self.urgent
        return self.emergency, self.suicide, self.urgent, max(0.0, 1 - escalates)

    @classmethod
    def of(cls, learned: LearnedReading, topics: Mapping[str, str]) -> Odds:
        """The sums over the labels of each level."""
        sums = dict.fromkeys(Level, 0.0)
        best = ""
        for label, score in learned.probabilities.items():
            level = level_of(label, topics)
            sums[level] += score
            if not best and level.escalates:
                best = label
        calm = max((Level.INFO, Level.CHAT, Level.OUT_OF_SCOPE), key=lambda one: sums[one])
        return cls(
            emergency=sums[Level.EMERGENCY],
            suicide=sums[Level.SUICIDE_CRISIS],
            urgent=sums[Level.URGENT],
            outside=sums[Level.OUT_OF_SCOPE],
            calm_level=calm,
            best_escalating=best,
        )


def prepared(text: str, lexicon: Lexicon, vocabulary: Vocabulary, *, english: bool) -> Utterance:
    """A message as all readers see it: normalised and, if it is English, with its typos
    repaired. Repair knows English words only: it turned other languages into nonsense."""
    utterance = normalise(text, lexicon)
    return repair(utterance, vocabulary) if english else utterance


def seen_elsewhere(raw: str) -> str:
    """A message as the embedding model for other languages sees it."""
    return raw.lower()


def is_english(language: str) -> bool:
    """Whether a message counts as English: it is, or its language is not plain."""
    return language in ("", "en")


def _asked_label(found: SignalReading, odds: Odds) -> str:
    """The card that a "yes, now" leads to: a signal's, or the likeliest escalating one."""
    if found.hits:
        return label_of(found.hits[0].level, found.hits[0].kind)
    return odds.best_escalating


def _kind(hits: list[Hit], learned: LearnedReading, level: Level, topics: Mapping[str, str]) -> str:
    """The kind that the learned reader finds likeliest, unless a signal's is nearly as likely
    or was said plainly."""
    if level is Level.SUICIDE_CRISIS:
        return level.label
    scores = {
        kind_of(label): score
        for label, score in learned.probabilities.items()
        if level_of(label, topics) is level
    }
    backed = {hit.kind: BACKED for hit in hits}
    backed |= {hit.kind: PLAINLY for hit in hits if hit.plain}
    return max(scores, key=lambda kind: scores[kind] + backed.get(kind, 0.0))


def _with_evidence(found: Assessment, evidence: tuple[Evidence, ...]) -> Assessment:
    return Assessment(
        found.level,
        found.kind,
        found.confidence,
        found.asks,
        found.also,
        evidence,
        found.near_misses,
    )
