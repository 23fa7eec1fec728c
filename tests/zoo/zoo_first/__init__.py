"""A hook that wants to be first."""
