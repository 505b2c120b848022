"""The front page: static, and rendered anew in the background at most once a minute."""

from asok import Request

from src.models import Post

SSG = True
REVALIDATE = 60


def get(request: Request):
    return request.html("page.html", posts=Post.query().latest().limit(20).get())
