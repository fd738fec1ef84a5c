"""Danger read from a message by rules over concepts, with the scope that turns each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Literal

from bot.core.amounts import read_amounts, read_numbers
from bot.core.model import Evidence, Level, NearMiss
from bot.core.phrases import Span, find
from bot.core.signals import MESSAGE, SENTENCE, Rule, Scope, Signals, scope_concept
from bot.core.text import Token, Utterance

Subject = Literal["", "self", "other"]

# Concepts of the data that the reading itself asks for.
HAPPENED, ALONE, OTHER_PERSON, SOMEBODY = "happened", "alone", "other_person", "he_she"
# Who writes and who somebody else is, in other languages than English.
WRITER_ELSEWHERE, SOMEBODY_ELSEWHERE = "writer_elsewhere", "somebody_elsewhere"
# What a helper tries on somebody who does not wake, and how far after it the person is named.
WAKING = frozenset(
    {"wake", "waking", "woken", "rouse", "rousing", "response", "reaction", "answer"}
)
WAKES_WITHIN = 6
UNREAL = frozenset({"negated", "hypothetical", "past", "news", "animal", "intent"})
ME = frozenset({"i", "me", "my", "myself", "we", "im", "ive"})
# "My dad is dead, I think": who thinks is not whom it is about.
THINKING = frozenset({"think", "thought", "guess", "believe", "swear", "suppose"})
SHORT_CLAUSE = 3  # words: a negated list goes on over its commas, "no rash, wheeze or swelling"
# A short clause of theirs ends these scopes: "how is CPR done, he hanged himself".
BEGINNERS = frozenset({"i", "he", "she", "we", "they"})
ENDED_BY_THEM = frozenset({"asked", "general", "negated", "untrue", "intent", "food"})
MOST_COMBINATIONS = 200  # of mentions tried for one rule: bounds the work on hostile texts


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that holds for the message, with the words that make it hold. `plain` is whether
    it counts by itself, `hint` whether it is nothing without a second reader."""

    rule: str
    level: Level
    kind: str
    reason: str
    evidence: tuple[Evidence, ...]
    plain: bool = False
    hint: bool = False


@dataclass(frozen=True, slots=True)
class ScopeFact:
    """A context that the message sets (past, news, ...), and the words that set it."""

    name: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class SignalReading:
    """What the signals make of a message.

    `hits` are ordered by level, highest first. `happened` says that something was taken,
    drunk or stopped in reality. `subject` is whom the highest hit (or the message) is about.
    `alone` says that nobody is with the person.
    """

    hits: tuple[Hit, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    scopes: tuple[ScopeFact, ...] = ()
    happened: bool = False
    subject: Subject = ""
    alone: bool = False
    concepts: frozenset[str] = frozenset()

    def has(self, scope: str) -> bool:
        """Whether the message sets this context anywhere."""
        return any(fact.name == scope for fact in self.scopes)


@dataclass(frozen=True, slots=True)
class Cover:
    """The tokens `first` to `last` that a scope's phrase governs."""

    scope: str
    first: int
    last: int
    phrase: Span
    inside: bool = False

    def holds(self, span: Span) -> bool:
        """Whether a mention lies in what is governed, and is not the phrase itself.

        Harmless wording (`inside`) takes a mention that ends in it.
        """
        if self.inside:
            return self.first <= span.last <= self.last
        return self.first <= span.first <= self.last and not (
            span.first <= self.phrase.first and self.phrase.last <= span.last
        )


def read_signals(utterance: Utterance, signals: Signals) -> SignalReading:
    """Every rule that holds for the message, and every one that a scope held back."""
    tokens = utterance.tokens
    if not tokens:
        return SignalReading()
    mentions = find(utterance, signals.matcher, _given(utterance, signals))
    covers = tuple(_covers(tokens, signals.scopes, mentions))
    page = _Page(utterance, mentions, covers)
    hits: list[Hit] = []
    near_misses: list[NearMiss] = []
    for rule in signals.rules:
        outcome = page.try_rule(rule)
        if isinstance(outcome, Hit):
            hits.append(outcome)
        elif outcome is not None:
            near_misses.append(outcome)
    hits.sort(key=lambda hit: -hit.level)
    return SignalReading(
        hits=tuple(hits),
        near_misses=tuple(near_misses),
        scopes=page.facts(),
        happened=any(page.is_real(span) for span in mentions.get(HAPPENED, ())),
        subject=page.subject(hits),
        alone=ALONE in mentions,
        concepts=frozenset(name for name in mentions if ":" not in name),
    )


def _given(utterance: Utterance, signals: Signals) -> dict[str, tuple[Span, ...]]:
    """Numbers and amounts, as mentions that phrases and rules can use."""
    found: dict[str, list[Span]] = {}
    for number in read_numbers(utterance.tokens, signals.lexicon):
        found.setdefault("number", []).append(Span(number.first, number.last))
    for amount in read_amounts(utterance, signals.lexicon):
        if amount.size and amount.size != "usual":
            name = f"amount_{amount.size}"
            found.setdefault(name, []).append(Span(amount.first, amount.last))
    return {name: tuple(spans) for name, spans in found.items()}


# ---- scope -------------------------------------------------------------------------

Mentions = Mapping[str, tuple[Span, ...]]


def _covers(
    tokens: Sequence[Token], scopes: Iterable[Scope], mentions: Mentions
) -> Iterator[Cover]:
    for scope in scopes:
        blocks = mentions.get(scope_concept(scope.name, "blocks"), ())
        ends = mentions.get(scope_concept(scope.name, "ends"), ())
        for direction in ("forward", "backward", "sentence", "around", "inside"):
            for phrase in mentions.get(scope_concept(scope.name, direction), ()):
                if not any(_within(phrase, block) for block in blocks):
                    yield from _spread(direction, scope, phrase, tokens, ends, mentions)


def _within(inner: Span, outer: Span) -> bool:
    return outer.first <= inner.first and inner.last <= outer.last


def _spread(
    direction: str,
    scope: Scope,
    phrase: Span,
    tokens: Sequence[Token],
    ends: Sequence[Span],
    mentions: Mentions,
) -> Iterator[Cover]:
    """What one phrase of a scope governs."""
    first, last = _segment(phrase, tokens, ends)
    if direction == "inside":
        yield Cover(scope.name, phrase.first, phrase.last, phrase, inside=True)
    elif direction == "forward":
        reach = _reach(phrase.last, last, scope, tokens)
        yield Cover(scope.name, phrase.last + 1, reach, phrase)
    elif direction == "backward":
        yield Cover(scope.name, max(first, phrase.first - scope.window), phrase.first - 1, phrase)
    else:
        yield Cover(scope.name, first, last, phrase)
    if direction == "around":
        yield from _other_sentences(scope, phrase, tokens, mentions)


def _segment(phrase: Span, tokens: Sequence[Token], ends: Sequence[Span]) -> tuple[int, int]:
    """The stretch of the phrase's sentence between words that end the scope."""
    sentence = tokens[phrase.first].sentence
    first, last = phrase.first, phrase.last
    while first > 0 and tokens[first - 1].sentence == sentence:
        if any(end.last == first - 1 for end in ends):
            break
        first -= 1
    while last + 1 < len(tokens) and tokens[last + 1].sentence == sentence:
        if last > phrase.last and any(end.first == last + 1 for end in ends):
            break
        last += 1
    return first, last


def _reach(start: int, limit: int, scope: Scope, tokens: Sequence[Token]) -> int:
    """The last token that a forward scope governs: it stops at a longer clause."""
    place = start
    for place in range(start, min(limit, start + scope.window) + 1):
        following = place + 1
        if following > limit or tokens[following].clause == tokens[place].clause:
            continue
        begun = tokens[following].word in BEGINNERS and scope.name in ENDED_BY_THEM
        if begun or not _is_short(following, tokens):
            return place
    return place


def _is_short(place: int, tokens: Sequence[Token]) -> bool:
    following = tokens[place : place + SHORT_CLAUSE + 1]
    return sum(token.clause == tokens[place].clause for token in following) <= SHORT_CLAUSE


def _other_sentences(
    scope: Scope, phrase: Span, tokens: Sequence[Token], mentions: Mentions
) -> Iterator[Cover]:
    """The other sentences, but for those that have something that breaks the scope."""
    own = tokens[phrase.first].sentence
    broken = {
        tokens[span.first].sentence for name in scope.broken_by for span in mentions.get(name, ())
    }
    bounds: dict[int, list[int]] = {}
    for place, token in enumerate(tokens):
        bounds.setdefault(token.sentence, [place, place])[1] = place
    for sentence, (first, last) in bounds.items():
        if sentence != own and sentence not in broken:
            yield Cover(scope.name, first, last, phrase)


# ---- rules -------------------------------------------------------------------------


class _Page:
    """One message with everything found in it, while the rules are tried."""

    def __init__(self, utterance: Utterance, mentions: Mentions, covers: tuple[Cover, ...]) -> None:
        self.utterance = utterance
        self.tokens = utterance.tokens
        self.mentions = mentions
        self.covers = covers

    def try_rule(self, rule: Rule) -> Hit | NearMiss | None:
        """The rule's hit; or what held it back; or None when it does not apply at all."""
        if rule.begins.isdisjoint(self.mentions):
            return None
        near_miss: NearMiss | None = None
        for way in rule.ways:
            if not all(name in self.mentions for name in way):
                continue
            every = [self.mentions[name] for name in way]
            free = [[span for span in spans if not self._held(rule, span)] for spans in every]
            for spans in self._combinations(free, rule.near):
                if not self._excused(rule, spans):
                    return self._hit(rule, way, spans)
            for spans in islice(self._combinations(every, rule.near), 1):
                held_by = next(filter(None, (self._held(rule, span) for span in spans)), "")
                held_by = held_by or self._excused(rule, spans)
                near_miss = near_miss or NearMiss(rule.id, held_by, self._words(spans))
        return near_miss

    def _combinations(
        self, lists: Sequence[Sequence[Span]], near: int
    ) -> Iterator[tuple[Span, ...]]:
        """One span of each list, as near to each other as the rule asks."""
        for group in [lists] if near == MESSAGE else self._by_sentence(lists):
            for spans in islice(product(*group), MOST_COMBINATIONS):
                if len(spans) == 1 or self._near(spans, near):
                    yield spans

    def _by_sentence(self, lists: Sequence[Sequence[Span]]) -> Iterator[list[list[Span]]]:
        sentences = sorted({self.tokens[span.first].sentence for span in lists[0]})
        for number in sentences:
            yield [
                [span for span in spans if self.tokens[span.first].sentence == number]
                for spans in lists
            ]

    def _near(self, spans: Sequence[Span], near: int) -> bool:
        if near == MESSAGE:
            return True
        first, last = min(s.first for s in spans), max(s.last for s in spans)
        if near == SENTENCE:
            return self.tokens[first].sentence == self.tokens[last].sentence
        gap = last - first + 1 - sum(span.last - span.first + 1 for span in spans)
        return gap <= near

    def _held(self, rule: Rule, span: Span) -> str:
        """The scope that takes a mention away, or ""."""
        held = (c.scope for c in self.covers if c.scope in rule.held_by and c.holds(span))
        return next(held, "")

    def _excused(self, rule: Rule, spans: Sequence[Span]) -> str:
        """The concept that takes a combination away, or ""."""
        for name in rule.unless:
            for other in self.mentions.get(name, ()):
                if self._near((*spans, other), rule.near):
                    return name
        return ""

    def _hit(self, rule: Rule, way: Sequence[str], spans: Sequence[Span]) -> Hit:
        evidence = tuple(
            self._evidence(rule.id, "trigger", span, name.replace("_", " "))
            for name, span in zip(way, spans, strict=True)
        )
        return Hit(rule.id, rule.level, rule.kind, rule.reason, evidence, rule.plain, rule.hint)

    def _evidence(
        self, rule: str, kind: Literal["trigger", "context"], span: Span, note: str
    ) -> Evidence:
        start = min(token.start for token in self.tokens[span.first : span.last + 1])
        end = max(token.end for token in self.tokens[span.first : span.last + 1])
        return Evidence(rule, kind, start, end, self.utterance.raw[start:end], note)

    def _words(self, spans: Sequence[Span]) -> str:
        return " + ".join(self._evidence("", "trigger", span, "").text for span in spans)

    # ---- facts about the message as a whole

    def facts(self) -> tuple[ScopeFact, ...]:
        """One fact for each scope that any phrase sets."""
        first: dict[str, Cover] = {}
        for cover in self.covers:
            first.setdefault(cover.scope, cover)
        return tuple(
            ScopeFact(name, self._evidence(name, "context", cover.phrase, ""))
            for name, cover in first.items()
        )

    def is_real(self, span: Span) -> bool:
        """Whether no scope says that this did not happen, or not now."""
        return not any(cover.scope in UNREAL and cover.holds(span) for cover in self.covers)

    def subject(self, hits: Sequence[Hit]) -> Subject:
        """Whom it is about: the person named last before the highest hit's words, or in them."""
        if WRITER_ELSEWHERE in self.mentions or SOMEBODY_ELSEWHERE in self.mentions:
            return self._subject_elsewhere(hits)
        others = self._places(OTHER_PERSON)
        if hits and hits[0].evidence:
            end = hits[0].evidence[0].end
            before = [p for p, token in enumerate(self.tokens) if token.end <= end]
            if hits[0].kind == "unresponsive" and self._wakes_somebody(hits[0], before, others):
                return "other"
        else:
            before = list(range(len(self.tokens)))
        for place in reversed(before):
            if place in others:
                return "other"
            after = self.tokens[place + 1].word if place + 1 < len(self.tokens) else ""
            if self.tokens[place].word in ("i", "me", "myself") and after not in THINKING:
                return "self"
        return self._mentioned(others)

    def _subject_elsewhere(self, hits: Sequence[Hit]) -> Subject:
        """The same in another language, where "i", "me" and "he" are other words."""
        end = hits[0].evidence[0].end if hits and hits[0].evidence else self.tokens[-1].end
        writer, somebody = (
            [span.last for span in self.mentions.get(name, ())]
            for name in (WRITER_ELSEWHERE, SOMEBODY_ELSEWHERE)
        )
        named: list[tuple[int, Subject]] = [(place, "self") for place in writer]
        named += [(place, "other") for place in somebody]
        before = [each for each in named if self.tokens[each[0]].end <= end]
        if before:
            return max(before)[1]
        return "other" if somebody else "self"

    def _wakes_somebody(self, hit: Hit, before: Sequence[int], others: set[int]) -> bool:
        """Whether "I" is who tries to wake somebody: "I cannot wake her", "my dad ... I get no
        answer". Not "I cannot wake up"."""
        start = hit.evidence[0].start
        said = {self.tokens[p].word for p in before if self.tokens[p].start >= start}
        if not said & WAKING or not before:
            return False
        named = others | self._places(SOMEBODY)
        after = range(before[-1] + 1, min(before[-1] + 1 + WAKES_WITHIN, len(self.tokens)))
        for place in after:
            if self.tokens[place].word in ("up", "and", "but"):
                break
            if place in named:
                return True
        follows_up = after and self.tokens[after[0]].word == "up"
        return not follows_up and any(place in others for place in before)

    def _places(self, concept: str) -> set[int]:
        spans = self.mentions.get(concept, ())
        return {place for span in spans for place in range(span.first, span.last + 1)}

    def _mentioned(self, others: set[int]) -> Subject:
        if others:
            return "other"
        return "self" if any(token.word in ME for token in self.tokens) else ""
