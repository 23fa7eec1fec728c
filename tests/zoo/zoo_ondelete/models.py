"""A foreign key that does not say what happens."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.data.db import db


class Row(db.Model):
    """Would stop the deletion of companies."""

    __tablename__ = "zoo_ondelete_row"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id"))
