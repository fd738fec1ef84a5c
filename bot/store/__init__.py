"""What the bot keeps: people, escalations and their history."""

from bot.store.keys import Keys
from bot.store.privacy import Retention
from bot.store.spool import Drained, Spool
from bot.store.store import Store

__all__ = ["Drained", "Keys", "Retention", "Spool", "Store"]
