"""Requires one that is nowhere."""
