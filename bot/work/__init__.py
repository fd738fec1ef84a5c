"""Durable work: what must happen though the process dies. The only package that knows DBOS."""

from bot.work.durable import Durable, Job, Queue, in_thread, renew
from bot.work.intake import Intake, Update, queues

__all__ = ["Durable", "Intake", "Job", "Queue", "Update", "in_thread", "queues", "renew"]
