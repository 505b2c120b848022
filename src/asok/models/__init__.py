"""Models: the documented ActiveRecord-style API on SQLAlchemy 2, migrations by Alembic.

Importing this package imports nothing; each name brings its module when it is first used,
so that a site without models never pays for SQLAlchemy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.orm import Mapped, relationship

    from asok.models.configuration import configure, configured_database
    from asok.models.database import Database
    from asok.models.fields import Timestamps, UtcDateTime, field
    from asok.models.model import Model
    from asok.models.paginated import Paginated
    from asok.models.query import Query
    from asok.models.repeated import RepeatedQueries
    from asok.models.request_scope import scope

__all__ = [
    "Database",
    "Mapped",
    "Model",
    "Paginated",
    "Query",
    "RepeatedQueries",
    "Timestamps",
    "UtcDateTime",
    "configure",
    "configured_database",
    "field",
    "relationship",
    "scope",
]

_HOMES = {
    "Database": "asok.models.database",
    "Mapped": "sqlalchemy.orm",
    "Model": "asok.models.model",
    "Paginated": "asok.models.paginated",
    "Query": "asok.models.query",
    "RepeatedQueries": "asok.models.repeated",
    "Timestamps": "asok.models.fields",
    "UtcDateTime": "asok.models.fields",
    "configure": "asok.models.configuration",
    "configured_database": "asok.models.configuration",
    "field": "asok.models.fields",
    "relationship": "sqlalchemy.orm",
    "scope": "asok.models.request_scope",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value
