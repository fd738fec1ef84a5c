"""Who on the staff may do what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Role = Literal["reviewer", "lead", "admin", "editor"]
Right = Literal[
    "read",  # the queue and cases, with what people wrote
    "work",  # acknowledge, assign, snooze, tag, note, review, resolve
    "reply",  # write to a person, where that is switched on
    "settle",  # settle a disagreement of two readers
    "export",  # rows without text
    "export_text",  # rows with what people wrote
    "audit",  # read and check the history
    "manage",  # people, roles, settings, retention
    "content",  # answers and examples as they are, and a box to try a message in
]

ROLES: tuple[Role, ...] = get_args(Role)
_REVIEWER: frozenset[Right] = frozenset({"read", "work", "reply", "content"})
_LEAD: frozenset[Right] = frozenset({*_REVIEWER, "settle", "export", "export_text", "audit"})
RIGHTS: Mapping[Role, frozenset[Right]] = {
    "reviewer": _REVIEWER,
    "lead": _LEAD,
    "admin": frozenset({*_LEAD, "manage"}),
    "editor": frozenset({"content"}),
}


def may(role: Role, right: Right) -> bool:
    """Whether somebody of this role has this right."""
    return right in RIGHTS[role]
