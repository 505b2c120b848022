"""The binding to Jinja2: templates whose own tags get nonces and CSRF inputs."""

from asok.jinja.fragment import Fragments
from asok.jinja.hashing import Hashing
from asok.jinja.templates import Templates
from asok.jinja.visitor import csrf_field

__all__ = ["Fragments", "Hashing", "Templates", "csrf_field"]
