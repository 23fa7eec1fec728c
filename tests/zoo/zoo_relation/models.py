"""A relationship to a class that does not exist."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.data.db import db


class Row(db.Model):
    """Cannot be mapped."""

    __tablename__ = "zoo_relation_row"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"))
    company = relationship("Compny")
