"""The same permission twice."""
