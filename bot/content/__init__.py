"""Reads intents/ and responses/ into core values; every problem has its place."""

from bot.content.load import Loaded, load
from bot.content.problems import Problem, Problems

__all__ = ["Loaded", "Problem", "Problems", "load"]
