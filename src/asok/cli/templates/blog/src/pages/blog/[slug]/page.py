"""One post: a static page for every row; a new row's page is made when it is first asked for."""

from asok import Request

from src.models import Post

SSG = True
REVALIDATE = 3600  # render anew in the background, at most once an hour


def get_static_paths():
    return [{"slug": post.slug} for post in Post.all()]


def get(request: Request):
    # An unknown slug is answered with 404.
    post = Post.where("slug", request.params["slug"]).first_or_fail()
    return request.html("post.html", post=post)
