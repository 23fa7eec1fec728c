"""Settings as a domain: it keeps what others declare, and declares nothing itself."""

from __future__ import annotations


class Plugin:
    """What settings contribute: nothing."""
