"""Imports what is not there."""
