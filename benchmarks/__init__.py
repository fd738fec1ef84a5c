"""Measurements, each a command that prints its numbers."""
