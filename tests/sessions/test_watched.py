"""What is changed inside a session's value and not said is told while developing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.site import load_site, write_site

from asok.sessions import MemorySessionStore, WatchedSession
from asok.testing import client, live


def test_a_change_inside_a_value_is_told_once_unless_it_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = MemorySessionStore(idle=100, absolute=1000)
    first = WatchedSession(store, None, new_id=lambda: "a")
    first["cart"] = []
    first["seen"] = {}
    assert first.modified
    first.save()
    assert not WatchedSession(store, "a", new_id=lambda: "b").modified  # never read
    again: Any = WatchedSession(store, "a", new_id=lambda: "b")
    assert again["seen"] == {}
    assert not again.modified
    assert caplog.messages == []
    again["cart"].append("tea")
    again["seen"]["x"] = object()
    assert not again.modified
    assert not again.modified
    assert [text.partition(",")[0] for text in caplog.messages] == [
        "session['cart'] was changed inside",
        "session['seen'] was changed inside",
    ]
    said: Any = WatchedSession(store, "a", new_id=lambda: "b")
    said["cart"].append("tea")
    said.modified = True
    said.save()
    assert not said.modified
    assert len(caplog.messages) == 2


SITE = {
    "src/components/Cart.py": """
        from asok import Component, exposed


        class Cart(Component):
            @exposed
            def add(self):
                self.session["cart"].append("tea")

            def render(self):
                return "<button ws-click='add'>Add</button>"
        """,
    "src/pages/page.html": "{{ component('Cart') }}",
    "src/pages/cart/page.py": """
        CSRF = False


        def get(request):
            request.session["page"] = request.session.get("page", [])
            return "begun"


        def post(request):
            request.session["page"].append("tea")
            return "added"
        """,
}


def test_pages_and_components_are_watched_while_developing_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for debug in (False, True):
        app = load_site(write_site(tmp_path / str(debug), SITE), debug=debug)
        with client(app) as visitor:
            visitor.get("/cart")
            visitor.post("/cart").raise_for_status()
        live("/", app=app, session={"cart": []}).click("Add")
        told = [text for text in caplog.messages if "was changed inside" in text]
        assert ["cart" in text or "page" in text for text in told] == [True] * 2 * debug
