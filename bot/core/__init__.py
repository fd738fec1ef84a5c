"""The pure core: text, person and content in, a decision out."""
