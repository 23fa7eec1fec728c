"""A backref on a core class."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.data.db import db


class Row(db.Model):
    """Puts an attribute on Company."""

    __tablename__ = "zoo_backref_row"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"))
    company = relationship("Company", backref="zoo_rows")
