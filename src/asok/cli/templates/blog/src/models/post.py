"""A post of the blog."""

from asok.models import Mapped, Model, Timestamps, field


class Post(Timestamps, Model):
    # A row that is written makes the pages with these tags stale.
    revalidates = ("posts", "post:{slug}")

    title: Mapped[str] = field(max_length=200)
    slug: Mapped[str] = field(max_length=120, unique=True)
    summary: Mapped[str] = field(default="")
    body: Mapped[str]
    """Markdown."""
