"""Frozen values to plain JSON and back, by their type hints: one codec for all of them.

A field that the text lacks takes its default and a field that the class lacks is dropped,
so that what an older or a newer version wrote can still be read.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def dumps(value: object) -> str:
    """`value` as compact JSON with sorted keys: the same value gives the same text."""
    return json.dumps(to_plain(value), sort_keys=True, separators=(",", ":"))


def loads(kind: type[T], text: str) -> T:
    """The value of class `kind` that `text` holds. Raises ValueError when it holds none."""
    return from_plain(kind, json.loads(text))


def to_plain(value: object) -> Any:
    """`value` as dicts, lists, text, numbers, booleans and None."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): to_plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(each) for each in value]
    return value


def from_plain(kind: type[T], data: Any) -> T:
    """The value of class `kind` in `data`. Raises ValueError when the shape is another."""
    wanted: Any = kind
    try:
        value: T = _reader(wanted)(data)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"This is not a {kind.__name__}: {type(error).__name__}.") from error
    return value


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    origin = get_origin(kind)
    if origin is tuple:
        return _tuple_reader(get_args(kind)[0])
    if origin in (Union, types.UnionType):
        return _optional_reader(kind)
    if origin is Literal:
        return _literal_reader(get_args(kind))
    if is_dataclass(kind):
        return _dataclass_reader(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        members = {member.name.lower(): member for member in kind}
        return lambda data: members[data]
    if kind is datetime:
        return datetime.fromisoformat
    return _scalar_reader(kind)


def _tuple_reader(kind: Any) -> Callable[[Any], Any]:
    read = _reader(kind)
    return lambda data: tuple(read(each) for each in data)


def _optional_reader(kind: Any) -> Callable[[Any], Any]:
    (inner,) = (each for each in get_args(kind) if each is not type(None))
    read = _reader(inner)
    return lambda data: None if data is None else read(data)


def _literal_reader(values: tuple[Any, ...]) -> Callable[[Any], Any]:
    def read(data: Any) -> Any:
        if data not in values:
            raise ValueError(f"One of {', '.join(map(repr, values))} was expected.")
        return data

    return read


def _dataclass_reader(kind: Any) -> Callable[[Any], Any]:
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind) if field.init]

    def read(data: Any) -> Any:
        known = {name: _reader(hints[name])(data[name]) for name in names if name in data}
        return kind(**known)

    return read


def _scalar_reader(kind: type) -> Callable[[Any], Any]:
    def read(data: Any) -> Any:
        if not isinstance(data, kind) and not (kind is float and isinstance(data, int)):
            raise ValueError(f"{kind.__name__} was expected, {type(data).__name__} was found.")
        return data

    return read
