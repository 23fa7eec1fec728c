"""Needs another version of a Python package."""
