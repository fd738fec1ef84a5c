"""Signals as data: concepts, rules and scopes, compiled from the triage files of every language.

A file may have these keys; files add to each other.

    concepts:  name -> block of phrases, one a line (the phrase language is in grammar.py)
    rules:     name -> level, kind, reason, when, and optionally near, held_by, unless, plain
    scopes:    name -> forward, backward, sentence, around, inside, blocks, ends: blocks of
               phrases; window: a number of words; broken_by: names of concepts

A rule's `when` has one way to be true a line: concepts joined by " + ". `near` is `sentence`
(the default), `message` or a number of words. `held_by` names the scopes that take a sign
away; `unless` names concepts that do so when they stand as near. `plain: yes` is for what is
said so plainly that it counts by itself, whatever the learned reader makes of the rest;
`hint: yes` for what may as well be harmless, and raises nothing that the learned reader denies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.core.grammar import GIVEN, compile_phrases
from bot.core.model import Level
from bot.core.phrases import Matcher, vocabulary_of
from bot.core.words import Lexicon
from bot.errors import ContentError

DIRECTIONS = ("forward", "backward", "sentence", "around", "inside", "blocks", "ends")
RULE_KEYS = frozenset(
    {"level", "kind", "reason", "when", "near", "held_by", "unless", "plain", "hint"}
)
SCOPE_KEYS = frozenset({*DIRECTIONS, "window", "broken_by"})
FILE_KEYS = frozenset({"concepts", "rules", "scopes"})
SENTENCE, MESSAGE = 0, -1
WINDOW = 6  # words that a scope reaches, unless its data says otherwise


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to notice a level.

    `ways` are the combinations of concepts that make it true, `begins` the first concept of
    each. `near` is a number of words, SENTENCE or MESSAGE. A `plain` rule needs no second reader,
    a `hint` is nothing without one.
    """

    id: str
    level: Level
    kind: str
    reason: str
    ways: tuple[tuple[str, ...], ...]
    begins: frozenset[str]
    near: int
    held_by: frozenset[str]
    unless: tuple[str, ...]
    plain: bool = False
    hint: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """How a kind of context (negated, past, ...) spreads from its phrases.

    `window` is how many words it reaches forward and backward. `broken_by` are concepts: a
    sentence that has one is out of reach of `around` phrases in other sentences.
    """

    name: str
    window: int
    broken_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signals:
    """Everything that the signal reader knows, compiled."""

    matcher: Matcher
    rules: tuple[Rule, ...]
    scopes: tuple[Scope, ...]
    lexicon: Lexicon

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The words of all phrases: what typo repair corrects towards first."""
        return vocabulary_of(self.matcher)


@dataclass(frozen=True, slots=True)
class SignalProblem:
    """What is wrong in the triage data. `where` is a rule, concept or scope, dotted."""

    path: str
    where: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}: {self.where}: {self.sentence}"


def signals_from(files: Mapping[str, Mapping[str, Any]], lexicon: Lexicon) -> Signals:
    """The compiled signals of all triage files, given as path -> what the file holds.

    Raises ContentError with a SignalProblem for everything that is wrong.
    """
    problems: list[SignalProblem] = []
    concepts: dict[str, list[str]] = {}
    homes: dict[str, str] = {}
    for path, data in files.items():
        problems += _unknown_keys(path, "file", data, FILE_KEYS)
        for name, block in _blocks(data):
            homes.setdefault(name, path)
            concepts.setdefault(name, []).extend(_lines(block))
    matcher, wrong = compile_phrases(concepts, lexicon)
    problems += [SignalProblem(homes.get(name, ""), name, sentence) for name, sentence in wrong]
    scopes = _scopes(files, problems)
    names = frozenset(concepts) | frozenset(GIVEN)
    rules = tuple(_rules(files, names, frozenset(scope.name for scope in scopes), problems))
    problems += _concept_problems(scopes, names)
    if problems:
        raise ContentError(tuple(problems))
    return Signals(matcher, rules, scopes, lexicon)


def scope_concept(scope: str, direction: str) -> str:
    """The name under which a scope's phrases are kept among the concepts."""
    return f"scope:{scope}:{direction}"


def _blocks(data: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    yield from (data.get("concepts") or {}).items()
    for name, scope in (data.get("scopes") or {}).items():
        for direction in DIRECTIONS:
            if direction in scope:
                yield scope_concept(name, direction), scope[direction]


def _lines(block: str | Iterable[str]) -> list[str]:
    lines = block.splitlines() if isinstance(block, str) else list(block)
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _unknown_keys(
    path: str, where: str, data: Mapping[str, Any], known: frozenset[str]
) -> list[SignalProblem]:
    return [
        SignalProblem(path, where, f"{key!r} is not a key; use one of {', '.join(sorted(known))}")
        for key in data
        if key not in known
    ]


def _scopes(
    files: Mapping[str, Mapping[str, Any]], problems: list[SignalProblem]
) -> tuple[Scope, ...]:
    found: dict[str, Scope] = {}
    for path, data in files.items():
        for name, scope in (data.get("scopes") or {}).items():
            problems += _unknown_keys(path, name, scope, SCOPE_KEYS)
            window = str(scope.get("window", "")).strip()
            if window and not window.isdigit():
                problems.append(SignalProblem(path, name, f"window is {window!r}, not a number"))
                continue
            before = found.get(name, Scope(name, WINDOW, ()))
            broken_by = (*before.broken_by, *str(scope.get("broken_by", "")).split())
            found[name] = Scope(name, int(window) if window else before.window, broken_by)
    return tuple(found.values())


def _concept_problems(scopes: Iterable[Scope], names: frozenset[str]) -> list[SignalProblem]:
    return [
        SignalProblem("", scope.name, f"broken_by names {name!r}, which is not a concept")
        for scope in scopes
        for name in scope.broken_by
        if name not in names
    ]


def _rules(
    files: Mapping[str, Mapping[str, Any]],
    concepts: frozenset[str],
    scopes: frozenset[str],
    problems: list[SignalProblem],
) -> Iterable[Rule]:
    for path, data in files.items():
        for name, rule in (data.get("rules") or {}).items():
            wrong = [
                *(p.sentence for p in _unknown_keys(path, name, rule, RULE_KEYS)),
                *_rule_problems(rule, concepts, scopes),
            ]
            problems += [SignalProblem(path, name, sentence) for sentence in wrong]
            if not wrong:
                yield _rule(name, rule, scopes)


def _rule_problems(
    rule: Mapping[str, Any], concepts: frozenset[str], scopes: frozenset[str]
) -> Iterable[str]:
    for key in ("level", "reason", "when"):
        if not rule.get(key):
            yield f"{key} is missing"
    if rule.get("level", "").upper() not in Level.__members__:
        yield f"level {rule.get('level')!r} is not a level"
    named = {c for way in _ways(rule.get("when", "")) for c in way} | set(_split(rule, "unless"))
    for name in sorted(named - concepts):
        yield f"{name!r} is not a concept"
    for name in sorted(set(_split(rule, "held_by")) - scopes):
        yield f"{name!r} is not a scope"
    near = str(rule.get("near", "sentence"))
    if near not in ("sentence", "message") and not near.isdigit():
        yield f"near is {near!r}; write sentence, message or a number of words"
    for key in ("plain", "hint"):
        if rule.get(key, "yes") != "yes":
            yield f"{key} is {rule[key]!r}; write yes, or leave it out"
    if "plain" in rule and "hint" in rule:
        yield "a rule is plain or a hint, not both; leave one out"


def _rule(name: str, rule: Mapping[str, Any], scopes: frozenset[str]) -> Rule:
    near = str(rule.get("near", "sentence"))
    distance = {"sentence": SENTENCE, "message": MESSAGE}.get(near)
    ways = _ways(rule["when"])
    return Rule(
        id=name,
        level=Level.parse(rule["level"]),
        kind=str(rule.get("kind", "")),
        reason=str(rule["reason"]).strip(),
        ways=ways,
        begins=frozenset(way[0] for way in ways),
        near=int(near) if distance is None else distance,
        held_by=frozenset(_split(rule, "held_by")) if "held_by" in rule else scopes,
        unless=tuple(_split(rule, "unless")),
        plain=rule.get("plain") == "yes",
        hint=rule.get("hint") == "yes",
    )


def _ways(when: str) -> tuple[tuple[str, ...], ...]:
    lines = _lines(when)
    return tuple(tuple(part.strip() for part in line.split("+")) for line in lines)


def _split(rule: Mapping[str, Any], key: str) -> list[str]:
    return str(rule.get(key) or "").replace(",", " ").split()
