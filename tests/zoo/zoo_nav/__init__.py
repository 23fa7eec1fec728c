"""A link that leads nowhere."""
