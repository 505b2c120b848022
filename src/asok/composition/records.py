"""Rows of the site's models as fields of its components."""

from __future__ import annotations

from typing import Any

__all__ = ["ModelRecords"]


class ModelRecords:
    """Models, told by their mark: a site without any never imports the database."""

    def holds(self, cls: type) -> bool:
        """Whether `cls` is a model."""
        return bool(getattr(cls, "__asok_model__", False))

    def key(self, record: Any) -> Any:
        """Return a row's primary key; None before it was saved."""
        from asok.models.keys import key_of

        values = key_of(record)
        return values[0] if values is not None and len(values) == 1 else values

    def find(self, cls: Any, key: Any) -> Any:
        """Return the row as it is in the database now."""
        return cls.find(key)
