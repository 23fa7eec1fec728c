"""Needs a Python package."""
