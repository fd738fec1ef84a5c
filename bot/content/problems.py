"""A finding about content: where it is, what is wrong and how to mend it."""

from __future__ import annotations

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
    """Collects findings, so that all of them are told at once."""

    found: list[Problem] = field(default_factory=list)

    def add(self, path: str, place: tuple[int, int], rule: str, sentence: str) -> None:
        """Keeps one finding at a (line, column)."""
        self.found.append(Problem(path, *place, rule, sentence))

    def sorted(self) -> tuple[Problem, ...]:
        """All findings, by place."""
        return tuple(sorted(set(self.found)))
