"""`/docs` has no text of its own: the reader begins at the first document."""

from src.library.document import all_documents

from asok import Request


def get(request: Request):
    return request.redirect(all_documents()[0].url, 302)
