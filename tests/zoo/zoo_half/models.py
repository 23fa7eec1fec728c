"""Models that fail half way."""

from sqlalchemy.orm import Mapped, mapped_column

from core.data.db import db


class Row(db.Model):
    """Is mapped before the failure."""

    __tablename__ = "zoo_half_row"

    id: Mapped[int] = mapped_column(primary_key=True)


raise ValueError("half way")
