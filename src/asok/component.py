"""What authors of components import: `Component`, `exposed`, `listens`."""

from asok.live.component import Component
from asok.live.exposed import exposed
from asok.live.listening import listens

__all__ = ["Component", "exposed", "listens"]
