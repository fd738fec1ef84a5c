"""The staff console: the queue, cases, people, figures and history, in a browser."""

from bot.console.app import ensure_first_admin, staff_app
from bot.console.oidc import Oidc
from bot.console.shelf import Shelf

__all__ = ["Oidc", "Shelf", "ensure_first_admin", "staff_app"]
