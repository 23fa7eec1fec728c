"""Events and work that runs outside requests."""

from core.jobs.services import emit, enqueue, progress

__all__ = ["emit", "enqueue", "progress"]
