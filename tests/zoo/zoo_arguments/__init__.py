"""A hook with wrong arguments."""
