"""Settings that belong together, and what is told of those that are wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.core.escalation import Rules
from bot.core.model import Level
from bot.errors import SettingsError
from bot.settings import Settings, read_settings


def test_by_default_staff_do_not_write_nothing_is_sampled_and_nobody_is_there() -> None:
    settings = Settings(_env_file=None)

    assert settings.staff_replies == "off"
    assert (settings.sample_rate, settings.sample_near_rate) == (0, 0)
    assert settings.rules.calendar.opens(datetime.now(UTC)) is None
    assert settings.oidc_issuer == ""


def test_clocks_and_readers_are_those_of_the_program_until_the_service_sets_its_own() -> None:
    rules = Settings(_env_file=None).rules

    assert replace(rules, calendar=Rules().calendar) == Rules()


def test_a_service_sets_its_own_clocks_readers_and_closed_days() -> None:
    rules = Settings(
        _env_file=None,
        acknowledge_minutes="3, 10, 60",
        review_days="2 2 5",
        review_readers="1 2 3",
        staffed_hours="always",
        staffed_closed="2026-12-25 2027-01-01",
        staff_replies="templates",
        first_response_minutes=45,
    ).rules

    assert list(rules.acknowledge_within.values()) == [
        timedelta(minutes=each) for each in (3, 10, 60)
    ]
    assert rules.review_within_days[Level.URGENT] == 5
    assert rules.readers == {Level.EMERGENCY: 1, Level.SUICIDE_CRISIS: 2, Level.URGENT: 3}
    assert rules.first_response == timedelta(minutes=45)
    assert rules.calendar.closed_on == {date(2026, 12, 25), date(2027, 1, 1)}
    assert not rules.calendar.is_open(datetime(2026, 12, 25, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"ACKNOWLEDGE_MINUTES": "5 15"}, "write three whole numbers"),
        ({"ACKNOWLEDGE_MINUTES": "5 15 -3"}, "write three whole numbers"),
        ({"REVIEW_DAYS": "1 0 3"}, "each of the three is from 1 to 10000"),
        ({"REVIEW_READERS": "two two one"}, "write three whole numbers"),
        ({"STAFFED_CLOSED": "Christmas"}, "write days as 2026-12-25"),
        ({"FIRST_RESPONSE_MINUTES": "0"}, "FIRST_RESPONSE_MINUTES is '0'"),
        ({"STAFF_REPLIES": "perhaps"}, "STAFF_REPLIES is 'perhaps'"),
        ({"SAMPLE_RATE": "2"}, "SAMPLE_RATE is '2'"),
        ({"STAFFED_HOURS": "mornings"}, "not like 'mon-fri 09:00-17:00'"),
        ({"STAFFED_ZONE": "Europe/Nowhere"}, "write a zone like Europe/London"),
        ({"OIDC_ISSUER": "http://elsewhere.example"}, "write an https:// address"),
        ({"OIDC_ISSUER": "https://id.example"}, "set all three or none"),
        ({"OIDC_CLIENT_SECRET": "hush"}, "set all three or none"),
    ],
)
def test_what_is_wrong_is_told_and_no_secret_is(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], told: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as error:
        read_settings()

    assert told in str(error.value)
    assert "hush" not in str(error.value)
