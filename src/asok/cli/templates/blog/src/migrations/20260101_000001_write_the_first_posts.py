"""Write the first posts

They are only there to look at: delete them, or this file before the first migration.
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "20260101_000001"
down_revision = "20260101_000000"
branch_labels = None
depends_on = None

POSTS = [
    (
        "static-until-it-matters",
        "Static until it matters",
        "Why most pages should be made once, and how the rest stays alive.",
        """Most pages say the same thing to everybody. Making them again for each visitor costs
time that nobody gets back, so this blog makes them once, when it is built.

A page can still change. This one is *regenerated in the background* at most once an hour:
a visitor gets the page that is there, at once, and the next one gets the new page.

And what really is different for each visitor is an island in it. The search on the front
page is a Python class of thirty lines; the page around it stays as static as before.""",
    ),
    (
        "forms-that-just-work",
        "Forms that just work",
        "A form needs fields, a handler and no further thought.",
        """The contact form is plain HTML. There is no token in its template, and yet a form
sent from another site is refused: the hidden field is written into the page while the
template is compiled.

What comes in is checked by a function of a few lines, and what is wrong is said beside the
field. It works without JavaScript, because it never needed any.""",
    ),
    (
        "files-are-addresses",
        "Files are addresses",
        "The folder of a page is the address of a page.",
        """`src/pages/contact/page.py` answers `/contact`. `src/pages/blog/[slug]/page.py` answers
every post, and `request.params["slug"]` says which one.

There is no table of routes to keep in step with the files. `asok routes` prints it when
you want to see it, and `asok make page about` adds a line.""",
    ),
]


def upgrade() -> None:
    posts = sa.table(
        "posts",
        *(sa.column(name) for name in ("title", "slug", "summary", "body")),
        sa.column("created_at", sa.DateTime(timezone=True)),
        sa.column("updated_at", sa.DateTime(timezone=True)),
    )
    now = datetime.now(UTC).replace(microsecond=0)
    rows = []
    for age, (slug, title, summary, body) in enumerate(POSTS):
        made = now - timedelta(days=3 * age)
        row = {"slug": slug, "title": title, "summary": summary, "body": body}
        rows.append({**row, "created_at": made, "updated_at": made})
    op.bulk_insert(posts, rows)


def downgrade() -> None:
    slugs = [slug for slug, *_ in POSTS]
    op.execute(
        sa.text("DELETE FROM posts WHERE slug IN :slugs").bindparams(
            sa.bindparam("slugs", slugs, expanding=True)
        )
    )
