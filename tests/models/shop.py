"""The models of these tests: a blog with every type, a key of text, a pair of keys.

The names differ from those of the sites that other tests build: all share one registry.
"""

from __future__ import annotations

import datetime
import enum
import uuid
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import Column, ForeignKey, Table

from asok.models import Mapped, Model, Timestamps, field, relationship


class Status(enum.Enum):
    """Whether a post is shown."""

    DRAFT = "draft"
    PUBLIC = "public"


entry_keywords = Table(
    "entry_keywords",
    Model.metadata,
    Column("entry_id", ForeignKey("entries.id"), primary_key=True),
    Column("keyword_id", ForeignKey("keywords.id"), primary_key=True),
)


class Writer(Model):
    name: Mapped[str]
    secret: Mapped[str] = field(default="s3cret", hidden=True)
    entries: Mapped[list[Entry]] = relationship(back_populates="writer")


class Keyword(Model):
    name: Mapped[str] = field(unique=True)


class Entry(Timestamps, Model):
    title: Mapped[str] = field(default="untitled")
    slug: Mapped[str] = field(unique=True, max_length=200)
    views: Mapped[int] = field(default=0)
    status: Mapped[Status] = field(default=Status.DRAFT)
    published_at: Mapped[datetime.datetime | None]
    writer_id: Mapped[int | None] = field(foreign_key="writers.id", on_delete="set null")
    writer: Mapped[Writer | None] = relationship(back_populates="entries")
    keywords: Mapped[list[Keyword]] = relationship(secondary=entry_keywords)


class Parcel(Model):
    """Every type that a row can hold."""

    token: Mapped[uuid.UUID] = field(default_factory=uuid.uuid4)
    weight: Mapped[float] = field(default=0.5)
    price: Mapped[Decimal | None] = field(precision=10, scale=2)
    day: Mapped[datetime.date | None]
    hour: Mapped[datetime.time | None]
    content: Mapped[bytes | None]
    data: Mapped[dict[str, Any] | None]
    words: Mapped[list[str] | None]
    fragile: Mapped[bool] = field(default=False)


class Country(Model):
    code: Mapped[str] = field(primary_key=True)
    name: Mapped[str]


class Stock(Model):
    shelf: Mapped[int] = field(primary_key=True)
    place: Mapped[int] = field(primary_key=True)
    amount: Mapped[int] = field(default=0)


class Animal(Model):
    kind: Mapped[str] = field(default="animal")
    name: Mapped[str]

    __mapper_args__: ClassVar = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}


class Dog(Animal):
    bark: Mapped[str | None]

    __mapper_args__: ClassVar = {"polymorphic_identity": "dog"}


SHOP = Model.metadata
#: The tables of this file, child tables last.
TABLES = tuple(table.name for table in SHOP.sorted_tables)
