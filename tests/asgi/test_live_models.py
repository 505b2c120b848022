"""A model as a field of a component, over the application's own database."""

from __future__ import annotations

import html
from pathlib import Path

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


def test_a_model_is_kept_by_its_key(tmp_path: Path) -> None:
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
