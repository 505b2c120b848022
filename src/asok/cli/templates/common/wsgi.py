"""The site: `asok dev` and `asok preview` serve this, as does `uvicorn wsgi:app`."""

from asok import Asok

app = Asok()
