"""The counter as its own page, static like the front page."""

from src.library.example import source_of

from asok import Request

SSG = True


def get(request: Request):
    return request.html("page.html", source=source_of("Counter"))
