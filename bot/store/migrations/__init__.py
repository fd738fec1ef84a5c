"""How the tables came to be, one small step forward at a time."""
