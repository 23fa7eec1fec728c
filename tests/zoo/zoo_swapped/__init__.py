"""Two views at one address."""
