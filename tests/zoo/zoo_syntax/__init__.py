"""A syntax error."""
