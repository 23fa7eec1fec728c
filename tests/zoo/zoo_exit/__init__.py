"""Leaves the process at import."""

raise SystemExit(3)
