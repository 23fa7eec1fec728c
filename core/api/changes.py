"""Prepared changes of what addons keep: looked at before they hold, published at once or on a day, undone."""

from core.jobs.changes import PreparedChange, current, done, due, open_, published, reopen, schedule, withdraw

__all__ = ["PreparedChange", "current", "done", "due", "open_", "published", "reopen", "schedule", "withdraw"]
