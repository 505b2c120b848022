"""`client(app)`: Starlette's test client, which asks a site without a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from selectolax.lexbor import LexborHTMLParser
from starlette.testclient import TestClient

from asok.app import Asok
from asok.testing import finding
from asok.testing.document import Document, attribute
from asok.testing.fields import Fields
from asok.testing.files import apart

__all__ = ["Client", "client"]


class Client(TestClient):
    """Asks `app` as one visitor, with a cookie jar; `session_id` makes it a known one."""

    def __init__(self, app: Asok, *, session_id: str | None = None, **options: Any) -> None:
        secure = app.parts.always_secure
        options.setdefault("base_url", "https://localhost" if secure else "http://localhost")
        super().__init__(app, **options)
        self.site = app
        if session_id is not None:
            self.cookies.set(app.parts.cookies.name(secure).decode(), session_id)

    def submit(
        self,
        path: str,
        values: Mapping[str, Any] | None = None,
        *,
        form: str | None = None,
        **options: Any,
    ) -> Any:
        """Ask for a page, fill in its form (found by a selector or a button's text), and send it.
        Returns the answer.

        Hidden fields, the CSRF token among them, are sent as the page has them. A file is a path,
        or `("a.png", b"…")`. Raises
        `DriveError` for a field or a form that is not there.
        """
        page = self.get(path)
        document = Document(LexborHTMLParser(page.text))
        node = finding.form(document, form)
        fields = Fields(hidden=True)
        for name, value in (values or {}).items():
            fields.write(finding.field(Document.part(node), name), value)
        target = page.url.join(attribute(node, "action") or "")
        data = fields.sent(node, None)
        if (attribute(node, "method") or "get").lower() == "post":
            texts, chosen = apart(data)
            files = [
                (name, (one.filename, one.file, one.content_type))
                for name, several in chosen.items()
                for one in several
                if one.filename
            ]
            return self.post(str(target), data=texts, files=files or None, **options)
        return self.get(str(target), params=apart(data)[0], **options)


def client(app: Asok, **options: Any) -> Client:
    """Return a client for a site: `with client(app) as visitor: visitor.get("/")`.

    Inside `with` the site is started, and stopped at the end. `options` are TestClient's.
    """
    return Client(app, **options)
