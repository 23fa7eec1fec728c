"""A view behind a misspelt permission."""
