"""Requires one that does not load."""
