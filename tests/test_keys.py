"""The keys of the store and the file that they are in."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import KeyMissing, SettingsError
from bot.store import Keys

KEY = "A" * 43 + "="


@given(st.text())
def test_what_was_encrypted_is_decrypted(text: str) -> None:
    keys = Keys.generate()

    assert keys.decrypt(keys.encrypt(text)) == text


def test_a_text_under_an_unknown_key_is_a_missing_key() -> None:
    token = Keys.generate().encrypt("text")

    with pytest.raises(KeyMissing, match="'text' line"):
        Keys.generate().decrypt(token)


def test_keys_that_were_rotated_open_what_is_older() -> None:
    keys = Keys.generate()
    token = keys.encrypt("text")

    rotated = keys.rotated()

    assert rotated.decrypt(token) == "text"
    assert rotated.newest_only().decrypt(rotated.reencrypt(token)) == "text"
    with pytest.raises(KeyMissing):
        keys.decrypt(rotated.encrypt("text"))


def test_a_chat_has_the_same_fingerprint_under_rotated_keys_and_another_elsewhere() -> None:
    keys = Keys.generate()

    assert keys.subject("tg:1") == keys.rotated().subject("tg:1")
    assert keys.subject("tg:1") != keys.subject("tg:2")
    assert keys.subject("tg:1") != keys.fingerprint("tg:1")
    assert keys.subject("tg:1") != Keys.generate().subject("tg:1")
    assert len(keys.subject("tg:1")) == 40


def test_a_new_key_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "var" / "keys"

    first, was_made = Keys.load_or_create(path)
    second, was_made_again = Keys.load_or_create(path)

    assert (was_made, was_made_again) == (True, False)
    assert second.decrypt(first.encrypt("text")) == "text"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_saved_keys_take_the_place_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    keys, _ = Keys.load_or_create(path)
    rotated = keys.rotated()

    rotated.save(path)

    assert Keys.load(path).as_text() == rotated.as_text()
    assert [each.name for each in tmp_path.iterdir()] == ["keys"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "0 and 0 were found"),
        (f"text {KEY}\n", "0 and 1 were found"),
        (f"subject {KEY}\nsubject {KEY}\ntext {KEY}\n", "2 and 1 were found"),
        (f"# a remark\n\nsubject {KEY}\ntext short\n", "keys:4: "),
        (f"subject {KEY}\ntext {KEY}\npassword {KEY}\n", "keys:3: "),
        ("subject " + "é" * 44, "cannot be read"),
    ],
)
def test_a_key_file_that_is_wrong_is_told_with_its_line(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "keys"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(SettingsError, match=problem):
        Keys.load(path)


def test_a_key_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no key file"):
        Keys.load(tmp_path / "keys")


def test_a_key_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")

    with pytest.raises(SettingsError, match="ENCRYPTION_KEYS_FILE"):
        Keys.load_or_create(tmp_path / "var" / "keys")


def test_keys_show_themselves_nowhere() -> None:
    keys = Keys(b"x" * 32, (KEY,))

    assert repr(keys) == str(keys) == "Keys(1 for texts)"
