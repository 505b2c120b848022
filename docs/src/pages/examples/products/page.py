"""A table that is sorted, filtered and edited."""

from src.library.example import source_of

from asok import Request

SSG = True


def get(request: Request):
    return request.html("page.html", source=source_of("Products"))
