"""Requires one whose requirement does not load."""
