"""Stored settings; defaults live only in code."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from core.data.db import db
from core.data.types import Json


class Setting(db.Model):
    """A value that differs from the default: ``owner`` is core or an addon, ``target`` '' for the deployment."""

    __tablename__ = "core_setting"
    __stamp__ = "settings"

    owner: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    #: '' (deployment), 'segment:<code>' or 'company:<code>'
    target: Mapped[str] = mapped_column(String(80), primary_key=True, default="")
    value: Mapped[Any] = mapped_column(Json)
    changed_by: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[datetime]
