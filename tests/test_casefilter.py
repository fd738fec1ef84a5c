"""The query text of the list."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.casefilter import ALL, OPEN, QUEUE, VIEWS, CaseFilter, parse_query
from bot.core.model import Level


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ALL),
        (
            "level:emergency is:unreviewed rule:resp_arrest before:2026-11-01",
            CaseFilter(
                levels=(Level.EMERGENCY,),
                review_statuses=("unreviewed", "needs_second"),
                rule="resp_arrest",
                before=datetime(2026, 11, 1, tzinfo=UTC),
            ),
        ),
        ("status:new,snoozed", CaseFilter(statuses=("new", "snoozed"))),
        ("is:open country:gb", CaseFilter(statuses=OPEN, country="GB")),
        ("assignee:me", CaseFilter(assignee="ana")),
        ("assignee:nobody", CaseFilter(assignee="nobody")),
        ("E-1042", CaseFilter(number=1042)),
        ("verdict:too_high tag:Call-Back", CaseFilter(verdict="too_high", tag="call-back")),
        ("is:breached is:repeated", CaseFilter(breached=True, repeated=True)),
        ("is:undelivered alert:failed", CaseFilter(delivery_failed=True, alert_status="failed")),
        (
            "since:2026-11-01T14:30+01:00",
            CaseFilter(since=datetime(2026, 11, 1, 13, 30, tzinfo=UTC)),
        ),
    ],
)
def test_a_query_is_read(query: str, expected: CaseFilter) -> None:
    assert parse_query(query, me="ana") == expected


def test_a_query_narrows_what_is_listed_anyway() -> None:
    assert parse_query("rule:x", base=QUEUE) == CaseFilter(statuses=OPEN, rule="x")


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("level:high", "emergency"),
        ("colour:red", "there are alert, before"),
        ("is:urgent", "unreviewed"),
        ("level:", "value after the colon"),
        ("hello", "name:value"),
        ("before:yesterday", "2026-11-01"),
        ("verdict:", "value"),
    ],
)
def test_a_word_that_cannot_be_read_is_told_with_what_can(query: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_query(query)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"(?s)level:high.*colour:red"):
        parse_query("level:high rule:x colour:red")


@pytest.mark.parametrize("name", VIEWS)
def test_every_saved_view_can_be_read(name: str) -> None:
    assert parse_query(VIEWS[name], me="ana") != ALL


@given(st.text())
def test_any_text_is_a_filter_or_a_value_error(query: str) -> None:
    try:
        assert isinstance(parse_query(query), CaseFilter)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - both ways out are right
