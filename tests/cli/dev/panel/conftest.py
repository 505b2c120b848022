"""A site with everything that the panel shows: queries, a cache, and live components."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

FILES = {
    "src/models/__init__.py": "",
    "src/models/post.py": """\
        from sqlalchemy import ForeignKey
        from sqlalchemy.orm import Mapped, mapped_column, relationship

        from asok import Model


        class Author(Model):
            name: Mapped[str]


        class Post(Model):
            title: Mapped[str]
            author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
            author: Mapped[Author] = relationship()
        """,
    "src/components/Votes.py": """\
        from asok import Component
        from asok.cache import cache
        from asok.component import exposed
        from src.models.post import Post


        class Votes(Component):
            count = 0

            @exposed
            def add(self, votes: int):
                self.count += votes * Post.query().count()

            @exposed
            def fail(self):
                raise ValueError("no more votes")

            def render(self):
                cache.get("votes")
                return self.html("votes.html")
        """,
    "src/components/votes.html": """\
        <p>Votes: {{ count }}</p>
        <button ws-click="add(2)">Vote</button> <button ws-click="fail">Fail</button>
        """,
    "src/pages/posts/page.py": """\
        from asok.cache import cache
        from src.models.post import Post


        def get(request):
            title = cache.remember("title", ttl=60, fn=lambda: "Posts")
            return request.html("page.html", posts=Post.all(), title=title)
        """,
    "src/pages/posts/page.html": """\
        {% extends "html/base.html" %}
        {% block title %}{{ title }}{% endblock %}
        {% block main %}
        <h1>{{ title }}</h1>
        <script>document.documentElement.dataset.ran = "yes"</script>
        {% for post in posts %}
          <p>{{ post.title }} by {{ post.author.name }}</p>
        {% endfor %}
        {{ component('Votes') }}
        {% endblock %}
        """,
    "src/pages/frozen/page.py": """\
        from src.models.post import Post

        SSG = True
        FRAME = '<!doctype html><title>Frozen</title><link rel="icon" href="data:,"><p>{}</p>'


        def get(request):
            return FRAME.format(Post.query().count())
        """,
}
MADE = """
from asok.models import configured_database
from src.models.post import Author, Post

configured_database().create_tables()
for number in range(6):
    Post.create(title=f"Post {number}", author=Author(name=f"Author {number}"))
"""


@pytest.fixture
def shop(site: Path) -> Path:
    """The minimal site with posts."""
    for name, text in FILES.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), "utf-8")
    with (site / "wsgi.py").open("a", encoding="utf-8") as file:
        file.write(MADE)
    return site
