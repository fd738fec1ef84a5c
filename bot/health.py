"""What whoever runs the bot must know and no person who writes to it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bot.core.readers import Readers
from bot.models import Trouble, trouble
from bot.service import Service


@dataclass(frozen=True, slots=True)
class Health:
    """How it stands now. `model` is the trouble with the embedding model, `failing` are the ways
    to reach staff by which the last alert did not arrive.
    """

    model: Trouble = ""
    spool_bytes: int = 0
    failing: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Each trouble in a sentence, and what to do."""
        return tuple(filter(None, (MODEL[self.model], self._spool, self._alerts)))

    @property
    def _spool(self) -> str:
        if not self.spool_bytes:
            return ""
        return (
            f"Records wait in the spool ({self.spool_bytes} bytes): the database did not take them "
            "yet, so cases are missing here. They follow by themselves once it does; look at the "
            "disk, the database and the log if this stays."
        )

    @property
    def _alerts(self) -> str:
        if not self.failing:
            return ""
        ways = ", ".join(name.replace("_", " ") for name in self.failing)
        return (
            f"The last alert did not arrive by: {ways}. Staff may not hear of new cases; check "
            "ALERT_URLS, STAFF_CHAT_ID and the log."
        )


MODEL: dict[Trouble, str] = {
    "": "",
    "missing": "The embedding model is missing: the bot reads by words only, and overlooks more. "
    "Install requirements.lock again, then restart the bot.",
    "altered": "The embedding model is not the file that was pinned, so the bot does not use it: "
    "it reads by words only, and overlooks more. Find out who changed the file, install "
    "requirements.lock again, then restart the bot.",
}


@dataclass(slots=True)
class Lines:
    """The ways to reach staff by which the last alert of this process did not arrive."""

    failing: set[str] = field(default_factory=set)

    def tell(self, name: str, *, arrived: bool) -> None:
        """Note how an alert by this way ended."""
        (self.failing.discard if arrived else self.failing.add)(name)


def health_of(service: Service, lines: Lines, embeddings: str) -> Callable[[], Health]:
    """How it stands, asked again at each call. The model is looked at once, here."""
    reader = service.content.reader
    reads_by_model = isinstance(reader, Readers) and None not in (reader.embed, reader.elsewhere)
    model: Trouble = ""
    if embeddings != "off" and not reads_by_model:
        model = trouble(None if embeddings == "minilm" else Path(embeddings)) or "missing"
    return lambda: Health(model, service.spool_bytes, tuple(sorted(lines.failing)))
