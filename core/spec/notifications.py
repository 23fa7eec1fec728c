"""What an addon may tell people: kinds of notification, each with its audience and what holds until a person chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mail = Literal["none", "now", "daily", "weekly"]
Audience = Literal["buyer", "staff", "everybody"]


@dataclass(frozen=True, slots=True)
class NotificationKind:
    """Something that people are told of, stored as ``<owner>.<name>``; each person chooses how.

    ``mail`` and ``in_app`` hold until the person chooses; ``audience`` says on whose list of choices it stands.
    ``title`` reads as the name of that choice ("Order confirmed").
    """

    name: str
    title: object
    help: object = ""
    audience: Audience = "everybody"
    mail: Mail = "now"
    in_app: bool = True
    icon: str = "bell"
    order: int = 100

    @property
    def key(self) -> str:
        """The kind's name, prefixed by its owner when stored."""
        return self.name
