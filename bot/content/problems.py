"""A finding about content: where it is, what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding. `line` and `column` count from 1."""

    path: str
    line: int
    column: int
    rule: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.sentence} ({self.rule})"


@dataclass(slots=True)
class Problems:
    """Collects findings, so that all of them are told at once.

    Of a file that cannot be read nothing else is told: what seems to be missing in it stands
    there, or would.
    """

    found: list[Problem] = field(default_factory=list)
    _unreadable: dict[str, Problem] = field(default_factory=dict)

    def add(self, path: str, place: tuple[int, int], rule: str, sentence: str) -> None:
        """Keeps one finding at a (line, column)."""
        self.found.append(Problem(path, *place, rule, sentence))

    def add_unreadable(self, path: str, place: tuple[int, int], rule: str, sentence: str) -> None:
        """Keeps why a whole file could not be read."""
        self.add(path, place, rule, sentence)
        self._unreadable[path] = self.found[-1]

    def is_unreadable(self, path: str) -> bool:
        """Whether this file could not be read, so that nothing is known of what it holds."""
        return path in self._unreadable

    @property
    def unreadable(self) -> Iterable[str]:
        """The files that could not be read."""
        return tuple(self._unreadable)

    def sorted(self) -> tuple[Problem, ...]:
        """All findings by place; first those that keep a whole file from being read."""
        rest = {each for each in self.found if each.path not in self._unreadable}
        return (*sorted(self._unreadable.values()), *sorted(rest))
