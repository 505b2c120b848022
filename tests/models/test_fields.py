"""Options of columns: what they become, and which contradict each other."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from sqlalchemy import JSON, Integer, Numeric, String, Text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from asok.errors import ModelError
from asok.models import Model, field
from asok.models.fields import UtcDateTime

from .shop import Entry, Parcel


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"default": 1, "default_factory": int}, "default and default_factory"),
        ({"default": []}, "default_factory=list"),
        ({"default": {}}, "default_factory=dict"),
        ({"default": int}, "can be called"),
        ({"on_delete": "cascade"}, "needs foreign_key"),
        ({"type_": Text(), "max_length": 3}, "several of type"),
        ({"max_length": 3, "precision": 3}, "several of type"),
    ],
)
def test_options_that_contradict_each_other(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        field(**options)


def test_what_the_options_become() -> None:
    column = field(
        Text(), unique=True, index=True, nullable=True, column="named", comment="about"
    ).column
    assert (column.name, column.unique, column.index) == ("named", True, True)
    assert (column.nullable, column.comment) == (True, "about")
    assert isinstance(field(max_length=5).column.type, String)
    money = field(precision=10, scale=2).column.type
    assert isinstance(money, Numeric)
    assert (money.precision, money.scale) == (10, 2)
    (key,) = field(foreign_key="entries.id", on_delete="set null").column.foreign_keys
    assert key.ondelete == "SET NULL"
    stamped = field(default_factory=dict, on_update=dict).column
    assert stamped.default is not None
    assert stamped.onupdate is not None
    assert stamped.server_default is None


def test_defaults_are_known_to_the_database_in_words_that_both_understand() -> None:
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        sql = str(CreateTable(Entry.metadata.tables["entries"]).compile(dialect=dialect))
        assert "views" in sql
        assert "DEFAULT '0'" in sql
    parcel = str(
        CreateTable(Parcel.metadata.tables["parcels"]).compile(dialect=postgresql.dialect())
    )
    assert "fragile BOOLEAN DEFAULT '0'" in parcel
    assert "JSONB" in parcel
    assert "id BIGSERIAL" in parcel


def test_the_types_that_annotations_stand_for() -> None:
    columns = Parcel.__table__.columns
    assert isinstance(columns["data"].type, JSON)
    assert isinstance(Entry.__table__.columns["created_at"].type, UtcDateTime)
    assert isinstance(columns["id"].type.dialect_impl(sqlite.dialect()), Integer)


def test_moments_are_converted_to_utc() -> None:
    kind = UtcDateTime()
    dialect = sqlite.dialect()
    east = datetime.timezone(datetime.timedelta(hours=5))
    moment = datetime.datetime(2026, 1, 1, 6, tzinfo=east)
    utc = datetime.datetime(2026, 1, 1, 1, tzinfo=datetime.UTC)
    assert kind.process_bind_param(moment, dialect) == utc
    assert kind.process_bind_param(utc.replace(tzinfo=None), dialect) == utc
    assert kind.process_bind_param(None, dialect) is None
    assert kind.process_result_value(moment, dialect) == utc
    assert kind.process_result_value(utc.replace(tzinfo=None), dialect) == utc
    assert kind.process_result_value(None, dialect) is None


def test_columns_are_in_the_order_key_own_timestamps() -> None:
    names = [column.name for column in Entry.metadata.tables["entries"].columns]
    assert names[0] == "id"
    assert names[-2:] == ["created_at", "updated_at"]
    assert Model.__asok_model__
