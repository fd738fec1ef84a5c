"""The staff console: the queue, cases, people, figures and history, in a browser."""

from bot.console.app import ensure_first_admin, staff_app
from bot.console.oidc import Oidc
from bot.console.replying import Replying, Template

__all__ = ["Oidc", "Replying", "Template", "ensure_first_admin", "staff_app"]
