"""What authors of components import: `Component` and `exposed`."""

from asok.live.component import Component
from asok.live.exposed import exposed

__all__ = ["Component", "exposed"]
