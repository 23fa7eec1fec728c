"""A template with a syntax error."""
