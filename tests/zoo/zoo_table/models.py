"""A table without the addon's prefix."""

from sqlalchemy.orm import Mapped, mapped_column

from core.data.db import db


class Extra(db.Model):
    """Nobody knows whose."""

    __tablename__ = "orders_extra"

    id: Mapped[int] = mapped_column(primary_key=True)
