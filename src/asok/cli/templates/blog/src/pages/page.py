"""The front page: static, and rendered anew when a post is written, or after a minute."""

from asok import Request

from src.models import Post

SSG = True
REVALIDATE = 60
TAGS = ("posts",)


def get(request: Request):
    return request.html("page.html", posts=Post.query().latest().limit(20).get())
