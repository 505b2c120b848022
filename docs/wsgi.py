"""The documentation of Asok, as an Asok site: `asok dev`, `asok preview` or `uvicorn wsgi:app`."""

from asok import Asok

app = Asok()
