"""Measurements of speed, memory and understanding; they print, and assert nothing."""
