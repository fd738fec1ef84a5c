"""The messages that prove: LABELS rules in pairs, topics and voices in shares.

A rule's message that is known to fail stands in tests/cases/known_failures.yml; the test is
strict, so that it leaves the list when it passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.core.decide import Content, decide
from bot.core.model import Message, Person

CASES = Path(__file__).parent / "cases"
RULES = sorted((CASES / "triage").glob("rule_*.yml"))


def read(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), yaml.CBaseLoader)


KNOWN = frozenset(read(CASES / "known_failures.yml")["rules"].strip().splitlines())


def rule_messages() -> Iterator[Any]:
    for path in RULES:
        for number, pair in enumerate(read(path)["pairs"], start=1):
            for side, case in enumerate(pair):
                name = f"{path.stem}/{number}{'ab'[side]}"
                marks = [pytest.mark.xfail(strict=True)] if name in KNOWN else []
                yield pytest.param(case["text"], case["level"], id=name, marks=marks)


@pytest.mark.parametrize(("text", "level"), list(rule_messages()))
def test_each_side_of_a_pair_gets_its_level(content: Content, text: str, level: str) -> None:
    decision = decide(Message("test", text), Person(), content)

    assert decision.message_level.label == level


def test_every_rule_of_the_labels_has_at_least_ten_pairs() -> None:
    assert [path.stem for path in RULES] == [f"rule_{n:02}" for n in range(1, 16)]
    assert all(len(read(path)["pairs"]) >= 10 for path in RULES)


def test_known_failures_name_messages_that_exist() -> None:
    names = {param.id for param in rule_messages()}

    assert names >= KNOWN


def test_every_topic_has_twelve_proving_messages(content: Content) -> None:
    short = []
    for topic, group in content.knowledge.topics.items():
        path = CASES / "en" / group / f"{topic}.yml"
        blocks = read(path)["reaches"].values() if path.exists() else ()
        if sum(len(block.strip().splitlines()) for block in blocks) < 12:
            short.append(topic)

    assert short == []
