"""The staff console: the queue, cases, people, figures and history, in a browser."""

from bot.console.app import ensure_first_admin, staff_app
from bot.console.library import Library
from bot.console.oidc import Oidc

__all__ = ["Library", "Oidc", "ensure_first_admin", "staff_app"]
