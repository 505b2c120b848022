"""A chat between all visitors."""

from src.library.example import source_of

from asok import Request

SSG = True


def get(request: Request):
    return request.html("page.html", source=source_of("Chat"))
