"""The live search over all posts."""

from asok import Component
from asok.component import exposed

from src.models import Post


class Search(Component):
    query = ""
    _bindable = ("query",)

    @exposed
    def clear(self):
        self.query = ""

    def found(self) -> list[Post]:
        """Return up to eight posts whose title or summary holds the query."""
        text = self.query.strip()
        if not text:
            return []
        pattern = f"%{text}%"
        posts = Post.query().like("title", pattern).get()
        known = {post.id for post in posts}
        posts += [
            post for post in Post.query().like("summary", pattern).get() if post.id not in known
        ]
        return posts[:8]

    def render(self):
        return self.html("search.html", posts=self.found())
