"""Reads intents/ and responses/ into core values; every problem has its place."""

from bot.content.load import Loaded, load
from bot.content.problems import Problem

__all__ = ["Loaded", "Problem", "load"]
