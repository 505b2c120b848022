"""The search as a page: for the Enter key, for links, and where JavaScript is off."""

from src.library.search_index import search

from asok import Request


def get(request: Request):
    query = request.args.get("q", "")[:100]
    return request.html("results.html", query=query, hits=search(query, limit=30))
