"""A model as a field of a component, over the application's own database."""

from __future__ import annotations

import html
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.site import load_site, write_site

SITE = {
    "src/models/post.py": """
        from asok import Model
        from sqlalchemy.orm import Mapped

        class Post(Model):
            title: Mapped[str]
        """,
    "src/pages/page.py": """
        from models import Post

        def get(request):
            return request.html("page.html", post=Post.find(1))
        """,
    "src/pages/page.html": "{{ component('Editor', post=post) }}",
    "src/components/Editor.py": """
        from asok import Component, exposed
        from models import Post

        class Editor(Component):
            post: Post

            @exposed
            def rename(self, title: str):
                self.post.title = title
                self.post.save()

            def render(self):
                return self.post.title
        """,
}


def test_a_model_is_kept_by_its_key_while_its_row_is_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = load_site(write_site(tmp_path, SITE), session_backend="memory")
    from asok import models
    from asok.models import configured_database

    with models.scope():
        import importlib

        post = importlib.import_module("models").Post
        configured_database()
        post.metadata.create_all(configured_database().engine)
        post.create(title="Old")
    with TestClient(app, base_url="http://localhost") as client:
        page = client.get("/").text
        assert ">Old</div>" in page
        token = html.unescape(page.split('state="')[1].split('"')[0])
        with client.websocket_connect(
            "ws://localhost/asok/live", headers={"origin": "http://localhost"}
        ) as live:
            live.send_json(["j", 1, token, "tab"])
            assert live.receive_json() == ["o", 1, 0, 0]
            live.send_json(["c", 1, 1, "rename", ["New"]])
            assert live.receive_json() == ["h", 1, 1, "New", 1]
            with models.scope():
                post.find(1).delete()
            with caplog.at_level("INFO", "asok.live"):
                live.send_json(["c", 1, 2, "rename", ["Newer"]])
                assert live.receive_json() == ["r", "record"]
            assert "there is no Post with the key 1 any more" in caplog.text


SPANS = {
    **SITE,
    "src/pages/page.html": "{{ component('Spans') }}",
    "src/components/Spans.py": """
        from asok import Component, exposed, listens
        from asok.models.request_scope import current_scope
        from models import Post

        SEEN = []

        class Spans(Component):
            title: str = ""

            def _ask(self):
                self.title = Post.find(1).title
                SEEN.append(current_scope())

            @exposed
            def plain(self, fail: bool = False):
                self._ask()
                self._ask()
                if fail:
                    raise ValueError

            @exposed
            def steps(self, fail: bool = False):
                self._ask()
                yield
                self.plain(fail)

            @exposed
            async def soon(self, fail: bool = False):
                self.title = (await Post.afind(1)).title
                SEEN.append(current_scope())
                self.plain(fail)

            @exposed
            async def soon_steps(self, fail: bool = False):
                await self.soon()
                yield
                await self.soon(fail)

            @listens("news")
            async def heard(self):
                await self.soon()

            def render(self):
                return Post.find(1).title
        """,
}


def test_every_kind_of_call_has_one_database_session_and_gives_it_back(tmp_path: Path) -> None:
    app = load_site(write_site(tmp_path, SPANS), session_backend="memory")
    import importlib

    from asok.models import configured_database

    post = importlib.import_module("models").Post
    post.metadata.create_all(configured_database().engine)
    post.create(title="Here")
    seen = importlib.import_module("src.components.Spans").SEEN
    pool: Any = configured_database().engine.pool
    with TestClient(app, base_url="http://localhost") as client:
        token = html.unescape(client.get("/").text.split('state="')[1].split('"')[0])
        with client.websocket_connect(
            "ws://localhost/asok/live", headers={"origin": "http://localhost"}
        ) as live:
            live.send_json(["j", 1, token, "tab"])
            live.receive_json()

            def call(seq: int, method: str, *args: object) -> str:
                live.send_json(["c", 1, seq, method, list(args)])
                while True:
                    frame = live.receive_json()
                    if (frame[2] if frame[0] == "e" else frame[-1]) == seq:
                        return frame[0]

            for seq, method in enumerate(("plain", "steps", "soon", "soon_steps"), 1):
                for fail in (False, True):
                    seen.clear()
                    kind = call(2 * seq + fail, method, fail)
                    assert kind == ("e" if fail else kind)
                    assert len(seen) > 1
                    assert len({id(scope) for scope in seen}) == 1, method
                    assert seen[0] is not None
                    assert seen[0].closed
                    assert pool.checkedout() == 0
            seen.clear()
            app.live.broadcasts.publish("news", {})
            while not (seen and seen[0].closed):
                time.sleep(0.005)
            assert len({id(scope) for scope in seen}) == 1
        assert pool.checkedout() == 0
