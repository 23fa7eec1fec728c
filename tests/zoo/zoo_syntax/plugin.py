"""A syntax error."""

broken = (
