"""Tables behind its code."""
