"""What tests of a site import: components without a browser, pages without a server."""

from asok.testing.client import Client, client
from asok.testing.component import LiveComponent
from asok.testing.database import Queries, queries, rollback
from asok.testing.element import Element
from asok.testing.live import live
from asok.testing.page import LivePage

__all__ = [
    "Client",
    "Element",
    "LiveComponent",
    "LivePage",
    "Queries",
    "client",
    "live",
    "queries",
    "rollback",
]
