"""Models that fail half way."""
