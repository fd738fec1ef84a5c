"""Settings that belong together, and what is told of those that are wrong."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.errors import SettingsError
from bot.settings import Settings, read_settings


def test_by_default_staff_do_not_write_nothing_is_sampled_and_nobody_is_there() -> None:
    settings = Settings(_env_file=None)

    assert settings.staff_replies == "off"
    assert (settings.sample_rate, settings.sample_near_rate) == (0, 0)
    assert settings.rules.calendar.opens(datetime.now(UTC)) is None
    assert settings.oidc_issuer == ""


@pytest.mark.parametrize(
    ("given", "told"),
    [
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
