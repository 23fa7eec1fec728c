"""The last line of every mail about something that a person may switch off."""

from __future__ import annotations

from core.accounts.mails import address_of
from core.i18n import _


def with_footer(text: str) -> str:
    """Return the mail's text with where to choose what the shop writes."""
    line = _("Choose what we write to you about: %(link)s", link=address_of("notifications.choices"))
    return f"{text.rstrip()}\n\n-- \n{line}\n"
