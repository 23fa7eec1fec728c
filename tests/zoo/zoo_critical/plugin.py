"""A critical one that does not load."""

raise RuntimeError("no prices today")
