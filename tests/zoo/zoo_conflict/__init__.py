"""Excludes another."""
