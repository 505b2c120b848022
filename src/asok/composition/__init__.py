"""The pieces that `Asok` connects: how the settings and the folders of a site become rooms."""

from asok.composition.components import make_live
from asok.composition.doors import Doors, make_doors
from asok.composition.handlers import make_parts
from asok.composition.templating import Addresses, make_templates

__all__ = ["Addresses", "Doors", "make_doors", "make_live", "make_parts", "make_templates"]
