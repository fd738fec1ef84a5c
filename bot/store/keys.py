"""The keys of the store: texts are encrypted with them, chat ids become fingerprints.

A key file has one key a line: `subject` (one, never changed: it joins a person's messages)
and `text` (any number; the first encrypts, all decrypt, so that keys can be rotated).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bot.errors import KeyMissing, SettingsError

HEADER = """\
# The keys of the baclofen bot's store. Whoever has this file and the database can read
# what people wrote; without this file nobody can. Keep it apart from the database and
# its backups, and keep a copy.
# subject: one line, never change it. text: the first line encrypts, all of them decrypt.
"""


class Keys:
    """What encrypts, decrypts and fingerprints. Its `repr` shows no key."""

    def __init__(self, subject: bytes, texts: tuple[str, ...]) -> None:
        self._subject = subject
        self._texts = texts
        self._fernet = MultiFernet([Fernet(text) for text in texts])

    def __repr__(self) -> str:
        return f"Keys({len(self._texts)} for texts)"

    @classmethod
    def generate(cls) -> Keys:
        """New keys, from the system's randomness."""
        return cls(secrets.token_bytes(32), (Fernet.generate_key().decode(),))

    @classmethod
    def load(cls, path: Path) -> Keys:
        """The keys in the file. Raises SettingsError, naming the line that is wrong."""
        try:
            lines = path.read_text(encoding="ascii").splitlines()
        except FileNotFoundError as error:
            raise SettingsError(f"{path}: there is no key file; put it back.") from error
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path}: the key file cannot be read: {error}.") from error
        return _parse(path, lines)

    @classmethod
    def load_or_create(cls, path: Path) -> tuple[Keys, bool]:
        """The keys in the file, and whether it was made just now (then tell to move it)."""
        if path.exists():
            return cls.load(path), False
        keys = cls.generate()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_new(path, keys.as_text())
        except OSError as error:
            if path.exists():  # another process was faster
                return cls.load(path), False
            raise SettingsError(
                f"{path}: no key file is there and none can be made ({error.strerror}); "
                "set ENCRYPTION_KEYS_FILE to where the keys are."
            ) from error
        return keys, True

    def rotated(self) -> Keys:
        """These keys with a new one in front, which encrypts from now on."""
        return Keys(self._subject, (Fernet.generate_key().decode(), *self._texts))

    def newest_only(self) -> Keys:
        """These keys without the older ones, once nothing is encrypted with them."""
        return Keys(self._subject, self._texts[:1])

    def save(self, path: Path) -> None:
        """Put these keys in place of the file, all or nothing."""
        new = path.with_name(path.name + ".new")
        new.unlink(missing_ok=True)
        _write_new(new, self.as_text())
        os.replace(new, path)

    def as_text(self) -> str:
        """The contents of a key file."""
        lines = [f"subject {base64.urlsafe_b64encode(self._subject).decode()}"]
        return HEADER + "\n".join([*lines, *(f"text {text}" for text in self._texts)]) + "\n"

    def encrypt(self, text: str) -> str:
        """`text` as a token that only these keys open."""
        return self._fernet.encrypt(text.encode("utf-8", "surrogatepass")).decode()

    def decrypt(self, token: str) -> str:
        """The text in `token`. Raises KeyMissing when none of the keys opens it."""
        try:
            return self._fernet.decrypt(token).decode("utf-8", "surrogatepass")
        except InvalidToken as error:
            raise KeyMissing(
                "A text in the store was encrypted with a key that is not in the key file; "
                "add the 'text' line of the older key file to it."
            ) from error

    def reencrypt(self, token: str) -> str:
        """`token` under the newest key. Raises KeyMissing when none of the keys opens it."""
        return self.encrypt(self.decrypt(token))

    def subject(self, chat: str) -> str:
        """What stands for a chat in the store: nobody gets the chat id back from it."""
        return self._hmac("subject", chat)

    def fingerprint(self, identity: str) -> str:
        """What stands for an entry, so that it is recorded once."""
        return self._hmac("entry", identity)

    def _hmac(self, purpose: str, text: str) -> str:
        data = f"{purpose}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self._subject, data, hashlib.sha256).hexdigest()[:40]


def _parse(path: Path, lines: list[str]) -> Keys:
    subjects: list[bytes] = []
    texts: list[str] = []
    for number, line in enumerate(lines, start=1):
        name, _, key = line.strip().partition(" ")
        if not name or name.startswith("#"):
            continue
        if name not in ("subject", "text") or not _is_key(key.strip()):
            raise SettingsError(
                f"{path}:{number}: this is not 'subject' or 'text' and a key of 44 characters."
            )
        if name == "subject":
            subjects.append(base64.urlsafe_b64decode(key.strip()))
        else:
            texts.append(key.strip())
    if len(subjects) != 1 or not texts:
        raise SettingsError(
            f"{path}: one 'subject' line and at least one 'text' line were expected; "
            f"{len(subjects)} and {len(texts)} were found."
        )
    return Keys(subjects[0], tuple(texts))


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, altchars=b"-_", validate=True)) == 32
    except ValueError:
        return False


def _write_new(path: Path, text: str) -> None:
    mode = stat.S_IRUSR | stat.S_IWUSR
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
