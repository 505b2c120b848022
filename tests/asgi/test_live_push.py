"""A broadcast of a page, heard by a component over the application's own socket."""

from __future__ import annotations

import html
from pathlib import Path

from starlette.testclient import TestClient
from tests.site import load_site, write_site

SITE = {
    "src/pages/page.html": "{{ component('Board') }}",
    "src/pages/tell/page.py": """
        from asok import broadcast

        def get(request):
            broadcast("order", price=3)
            return "told"
        """,
    "src/components/Board.py": """
        from asok import Component, listens

        class Board(Component):
            sum: int = 0

            @listens("order")
            def ordered(self, price: int):
                self.sum += price

            def render(self):
                return str(self.sum)
        """,
}


def test_a_page_tells_the_components_of_another_visitor(tmp_path: Path) -> None:
    app = load_site(write_site(tmp_path, SITE), session_backend="memory")
    with TestClient(app, base_url="http://localhost") as client:
        token = html.unescape(client.get("/").text.split('state="')[1].split('"')[0])
        with client.websocket_connect(
            "ws://localhost/asok/live", headers={"origin": "http://localhost"}
        ) as live:
            live.send_json(["j", 1, token, "tab"])
            assert live.receive_json() == ["h", 1, 0, "0", 0]
            assert client.get("/tell").text == "told"
            assert live.receive_json() == ["h", 1, 1, "3", 0]
        assert len(app.live.broadcasts) == 0
