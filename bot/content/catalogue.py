"""Which messages teach, border on and prove each topic, as the files are now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.content import intents
from bot.content.intents import NEAR, Placed, Voice
from bot.content.load import teaching_voices, version_of
from bot.content.problems import Problems


@dataclass(frozen=True, slots=True)
class Said:
    """The messages of one topic: `examples` teach it, `near_misses` only look like it and teach
    what their label says, `proofs` must reach it."""

    examples: tuple[Placed, ...] = ()
    near_misses: tuple[Placed, ...] = ()
    proofs: tuple[Placed, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The messages of all topics. `voices` says who speaks, where that is known.

    `version` is that of intents/ and responses/, to be compared with that of the content which
    is served; `stamp` that of all that was read here. `unread` are files that cannot be read.
    """

    topics: Mapping[str, Said]
    voices: Mapping[str, Voice]
    version: str
    stamp: str
    unread: tuple[str, ...]

    @property
    def has_proofs(self) -> bool:
        """Whether there are messages that prove; an image of the bot goes without them."""
        return any(said.proofs for said in self.topics.values())

    def of(self, topic: str) -> Said:
        """The messages of a topic; none of one that the files do not know."""
        return self.topics.get(topic, Said())


def catalogue_of(root: Path, known: Catalogue | None = None) -> Catalogue:
    """What stands in the files under `root`; `known`, if nothing has changed since.

    A file with mistakes gives what can be read of it. Raises OSError for one that may not be
    opened.
    """
    version = version_of(root, "intents", "responses")
    stamp = f"{version} {version_of(root, 'tests/cases')}"
    if known is not None and known.stamp == stamp:
        return known
    problems = Problems()
    files = intents.topic_files(root, problems)
    voices, said = teaching_voices(root, problems)
    proving_voices, proofs = intents.proving_files(root, problems)
    every = (*(item for file in files for item in file.examples), *said)
    taught = intents.by_label(each for each in every if not _is_near(each))
    proved = intents.by_label(proofs)
    return Catalogue(
        topics={
            file.topic: Said(
                examples=tuple(taught[file.topic]),
                near_misses=tuple(each for each in file.examples if _is_near(each)),
                proofs=tuple(proved[file.topic]),
            )
            for file in files
        },
        voices={voice.id: voice for voice in (*voices, *proving_voices)},
        version=version,
        stamp=stamp,
        unread=tuple(problems.unreadable),
    )


def _is_near(placed: Placed) -> bool:
    return placed.example.voice.startswith(NEAR)
