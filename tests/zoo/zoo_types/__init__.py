"""A manifest of wrong types."""
