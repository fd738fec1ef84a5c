"""YAML as editors mean it: every scalar is text, a key stands once, everything has a place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.content.problems import Problems
from bot.content.yaml_faults import fault_of, place_after

Place = tuple[int, int]
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TOP: Place = (1, 1)


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar. `block` is true for a literal block (`|`), whose text starts a line below.

    `indent` is how far the lines of such a block stand to the right, None for other scalars.
    """

    value: str
    place: Place
    block: bool = False
    indent: int | None = None

    def place_of(self, at: int) -> Place:
        """Where the character at the index `at` of the value stands in the file."""
        if self.indent is None:
            return self.place
        before = self.value[:at]
        column = at - (before.rfind("\n") + 1)
        return self.place[0] + 1 + before.count("\n"), self.indent + 1 + column


@dataclass(frozen=True, slots=True)
class Rows:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping, with the place of each key."""

    items: dict[str, Node]
    places: dict[str, Place]
    place: Place


Node = Text | Rows | Table


@dataclass(frozen=True, slots=True)
class Sheet:
    """One YAML file, read: its table and ways to take typed parts out of it.

    A part that is missing or of the wrong shape becomes a problem and an empty value.
    """

    path: str
    table: Table
    problems: Problems

    def place(self, key: str) -> Place:
        """Where a key stands, or the top of the file."""
        return self.table.places.get(key, self.table.place)

    def place_of(self, key: str, part: str) -> Place:
        """Where `part` of the text, or of one of the texts, under a key stands."""
        node = self.table.items.get(key)
        for item in node.items if isinstance(node, Rows) else (node,):
            if isinstance(item, Text) and part in item.value:
                return item.place_of(item.value.index(part))
        return self.place(key)

    def report(self, place: Place, rule: str, sentence: str) -> None:
        """Adds a problem of this file."""
        self.problems.add(self.path, place, rule, sentence)

    def sub(self, key: str, *, required: bool = False) -> Sheet:
        """The mapping under a key; an empty one where there is none."""
        node = self.table.items.get(key)
        if isinstance(node, Table):
            return Sheet(self.path, node, self.problems)
        if node is not None or required:
            self._wants(key, "a mapping of keys and values")
        return Sheet(self.path, Table({}, {}, self.place(key)), self.problems)

    def text(self, key: str, *, required: bool = False, default: str = "") -> str:
        """The text under a key."""
        node = self.table.items.get(key)
        if isinstance(node, Text):
            if required and not node.value.strip():
                self.report(node.place, "empty", f"'{key}' is empty; write its text")
            return node.value.strip()
        if node is not None or required:
            self._wants(key, "a text")
        return default

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """The list of texts under a key."""
        node = self.table.items.get(key)
        if isinstance(node, Rows) and all(isinstance(item, Text) for item in node.items):
            return tuple(item.value.strip() for item in node.items if isinstance(item, Text))
        if node is not None or required:
            self._wants(key, "a list of texts, each on a line that starts with '- '")
        return ()

    def rows(self, key: str) -> tuple[Sheet, ...]:
        """The list of mappings under a key; a single mapping counts as a list of one."""
        node = self.table.items.get(key)
        if isinstance(node, Table):
            return (Sheet(self.path, node, self.problems),)
        if isinstance(node, Rows) and all(isinstance(item, Table) for item in node.items):
            return tuple(
                Sheet(self.path, item, self.problems)
                for item in node.items
                if isinstance(item, Table)
            )
        if node is not None:
            self._wants(key, "a list of mappings")
        return ()

    def lines(self, key: str) -> tuple[tuple[str, Place], ...]:
        """The lines of a literal block under a key, each with its place."""
        node = self.table.items.get(key)
        if not isinstance(node, Text):
            self._wants(key, "a block of lines after '|'")
            return ()
        first, column = node.place
        if node.indent is not None:
            column = node.indent + 1
        start = first + 1 if node.block else first
        return tuple(
            (line.strip(), (start + offset, column))
            for offset, line in enumerate(node.value.split("\n"))
            if line.strip()
        )

    def only(self, *keys: str) -> None:
        """Reports every key that has no meaning here."""
        for key in self.table.items:
            if key not in keys:
                known = ", ".join(keys)
                self.report(
                    self.place(key),
                    "unknown-key",
                    f"'{key}' is not known here; use one of: {known}",
                )

    def _wants(self, key: str, shape: str) -> None:
        state = "is not" if key in self.table.items else "is missing; write"
        self.report(self.place(key), "shape", f"'{key}' {state} {shape}")


def read(path: Path, root: Path, problems: Problems) -> Sheet:
    """The file as a sheet; what cannot be read becomes a problem and an empty sheet."""
    name = path.relative_to(root).as_posix()
    empty = Sheet(name, Table({}, {}, _TOP), problems)
    try:
        data = path.read_bytes()
    except OSError as error:
        said = f"cannot be read ({error.strerror}); check the file"
        problems.add_unreadable(name, _TOP, "unreadable", said)
        return empty
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        place = place_after(data[: error.start].decode("utf-8"))
        said = f"not UTF-8 ({error.reason}); save the file as UTF-8"
        problems.add_unreadable(name, place, "encoding", said)
        return empty
    return _parsed(text.removeprefix("\ufeff"), name, problems) or empty


def _parsed(text: str, name: str, problems: Problems) -> Sheet | None:
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        problems.add_unreadable(name, *fault_of(error, text))
        return None
    if node is None:
        said = "the file is empty; write its content or delete it"
        problems.add_unreadable(name, _TOP, "empty", said)
        return None
    try:
        converted = _converted(node, name, text.splitlines(), problems)
    except RecursionError:
        said = "a part of the file holds itself; write it without & and *"
        problems.add_unreadable(name, _TOP, "yaml", said)
        return None
    if not isinstance(converted, Table):
        said = "the file must be 'key: value' lines at the top"
        problems.add_unreadable(name, _TOP, "shape", said)
        return None
    return Sheet(name, converted, problems)


def _converted(node: yaml.Node, name: str, source: list[str], problems: Problems) -> Node:
    place = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.ScalarNode):
        indent = _indent(source[place[0] :]) if node.style == "|" else None
        return Text(str(node.value), place, block=node.style in {"|", ">"}, indent=indent)
    if isinstance(node, yaml.SequenceNode):
        rows = tuple(_converted(item, name, source, problems) for item in node.value)
        return Rows(rows, place)
    items: dict[str, Node] = {}
    places: dict[str, Place] = {}
    for key_node, value in node.value:
        key = str(key_node.value)
        at = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        if key in items:
            first = places[key][0]
            problems.add(
                name, at, "duplicate-key", f"'{key}' stands twice (first in line {first}); keep one"
            )
            continue
        items[key], places[key] = _converted(value, name, source, problems), at
    return Table(items, places, place)


def _indent(lines: list[str]) -> int:
    """How far the first of these lines that holds something stands to the right."""
    first = next((line for line in lines if line.strip()), "")
    return len(first) - len(first.lstrip())


def plain_table(table: Table) -> dict[str, Any]:
    """The mapping as str, list and dict, for pure functions that take plain data."""
    return {key: _plain(value) for key, value in table.items.items()}


def _plain(node: Node) -> Any:
    if isinstance(node, Text):
        return node.value
    if isinstance(node, Rows):
        return [_plain(item) for item in node.items]
    return plain_table(node)
