"""One post: a static page for every row; a new row's page is made when it is first asked for."""

from asok import Request

from src.models import Post

SSG = True
REVALIDATE = 3600  # render anew in the background: after an hour, or when its post is written


def get_static_paths():
    return [{"slug": post.slug} for post in Post.all()]


def get(request: Request):
    slug = request.params["slug"]
    request.tag(f"post:{slug}")
    # An unknown slug is answered with 404.
    return request.html("post.html", post=Post.where("slug", slug).first_or_fail())
