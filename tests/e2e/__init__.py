"""End to end: real servers, real HTTP, a real browser."""
