"""Commands for editors and evaluators."""
