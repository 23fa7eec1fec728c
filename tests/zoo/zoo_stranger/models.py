"""A foreign key to an addon that is not required."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.data.db import db


class Row(db.Model):
    """Refers to a stranger."""

    __tablename__ = "zoo_stranger_row"

    id: Mapped[int] = mapped_column(primary_key=True)
    note_id: Mapped[int] = mapped_column(ForeignKey("toy_addon_note.id", ondelete="CASCADE"))
