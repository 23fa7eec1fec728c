"""A migration that fails in the middle."""
