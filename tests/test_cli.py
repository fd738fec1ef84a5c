"""The commands, as a script or an evaluator uses them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from bot.core.decide import Content
from bot.errors import SettingsError
from bot.settings import read_settings
from bot.tools.classify import InputError, classify_lines, talk_lines
from bot.tools.explain import explain
from bot.tools.new import new_topic


def lines(*rows: dict[str, object]) -> list[str]:
    return [json.dumps(row) for row in rows]


def test_classify_keeps_order_and_ids(content: Content) -> None:
    rows = lines(
        {"id": 1, "text": "he is not breathing", "country": "GB"},
        {"id": "b", "text": "can i drink wine on baclofen"},
    )

    first, second = classify_lines(rows, content)

    assert (first["id"], first["level"], first["kind"]) == (1, "emergency", "breathing")
    assert "999" in first["first_line"]
    assert (second["id"], second["level"], second["topic"]) == ("b", "info", "mixing_alcohol")
    assert set(first) == {
        *("id", "level", "kind", "topic", "confidence", "asks", "offers", "reasons"),
        "first_line",
    }


def test_reasons_point_into_the_message(content: Content) -> None:
    text = "please help, he is NOT breathing"

    (row,) = classify_lines(lines({"text": text}), content)

    triggers = [r for r in row["reasons"] if r["end"] > r["start"]]
    assert triggers
    assert all(text[r["start"] : r["end"]] == r["text"] for r in triggers)


def test_classify_has_no_memory(content: Content) -> None:
    rows = lines({"text": "he is not breathing"}, {"text": "hello"})

    _, second = classify_lines(rows, content)

    assert second["level"] == "chat"


def test_chat_keeps_state_for_each_chat_and_shares_nothing(content: Content) -> None:
    rows = lines(
        {"chat": "a", "text": "he is not breathing", "country": "GB"},
        {"chat": "b", "text": "hello"},
        {"chat": "a", "button": "Not sure"},
        {"chat": "a", "text": "just kidding"},
    )

    first, other, pressed, denied = talk_lines(rows, content)

    assert first["level"] == "emergency"
    assert first["buttons"]
    assert other["level"] == "chat"
    assert pressed["level"] == "emergency"
    assert "999" in " ".join(pressed["replies"])
    assert denied["level"] == "emergency"


def test_a_button_that_was_not_offered_is_read_as_text(content: Content) -> None:
    (row,) = talk_lines(lines({"chat": "a", "button": "he is not breathing"}), content)

    assert row["level"] == "emergency"


@pytest.mark.parametrize("line", ["not json", "[1]", '{"id": 1}', '{"text": 5}'])
def test_a_line_that_is_not_understood_is_named(content: Content, line: str) -> None:
    with pytest.raises(InputError, match="line 1"):
        list(classify_lines([line], content))


def test_explain_shows_readers_evidence_and_reply(content: Content) -> None:
    out = io.StringIO()

    explain(Console(file=out, width=120), "he is not breathing", content, country="gb")

    shown = out.getvalue()
    assert "emergency" in shown
    assert "nearest example" in shown
    assert "999" in shown


def test_new_writes_three_files_and_refuses_a_taken_id(tmp_path: Path) -> None:
    paths = new_topic(tmp_path, "mixing", "mixing_tea", "Tea with baclofen?", due="2027-01-01")

    assert [path.relative_to(tmp_path).parts[0] for path in paths] == [
        "intents",
        "responses",
        "tests",
    ]
    with pytest.raises(ValueError, match="exists already"):
        new_topic(tmp_path, "mixing", "mixing_tea", "Again?", due="2027-01-01")
    with pytest.raises(ValueError, match="no id"):
        new_topic(tmp_path, "mixing", "../x", "Again?", due="2027-01-01")


def test_all_wrong_settings_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_PORT", "eighty")
    monkeypatch.setenv("LOG_LEVEL", "loud")
    monkeypatch.setenv("DATABASE_URL", "mysql://x")

    with pytest.raises(SettingsError) as caught:
        read_settings()

    told = str(caught.value)
    assert "WEB_PORT" in told
    assert "LOG_LEVEL" in told
    assert "DATABASE_URL" in told


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BOT_TOKEN", "ALERT_URLS", "OIDC_CLIENT_SECRET"):
        monkeypatch.setenv(name, "123:hush")
    for name in ("OIDC_ISSUER", "OIDC_CLIENT_ID"):
        monkeypatch.setenv(name, "https://id.example")

    assert "hush" not in repr(read_settings())
