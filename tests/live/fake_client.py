"""The client of `asok.testing`, under the name that these tests know it by."""

from asok.testing.connection import Connection, Shown, wrappers

__all__ = ["FakeClient", "Shown", "wrappers"]

FakeClient = Connection
