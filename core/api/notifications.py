"""Tell people something, each in the way they chose: see docs/notifications.md."""

from core.accounts.mails import address_of, path_of
from core.jobs.mail import Attachment
from core.notifications.services import Message, notify
from core.spec.notifications import NotificationKind

__all__ = ["Attachment", "Message", "NotificationKind", "address_of", "notify", "path_of"]
