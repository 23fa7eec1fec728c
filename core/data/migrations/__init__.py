"""Core's migrations; the runner is core.data.migrate."""
