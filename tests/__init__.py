"""The tests; helpers that more than one of them needs are modules here."""
