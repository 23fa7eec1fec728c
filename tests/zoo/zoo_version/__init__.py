"""Requires a newer version."""
