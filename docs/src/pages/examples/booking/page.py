"""A form with a message for each field."""

from src.library.example import source_of

from asok import Request

SSG = True


def get(request: Request):
    return request.html("page.html", source=source_of("Booking"))
