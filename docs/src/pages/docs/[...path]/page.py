"""Every page of the documentation: one static page for each file below `content/`."""

from src.library.document import all_documents, find, neighbours, sections

from asok import Request

SSG = True


def get_static_paths():
    return [{"path": document.path} for document in all_documents()]


def get(request: Request):
    document = find(request.params["path"])
    if document is None:
        request.abort(404)
    before, after = neighbours(document)
    return request.html(
        "document.html",
        document=document,
        before=before,
        after=after,
        sections=sections(),
    )
