"""The live search over the whole documentation: in the header of every page."""

from src.library.search_index import search

from asok import Component
from asok.component import exposed


class Search(Component):
    query: str = ""

    @exposed
    def look(self, value: str):
        self.query = value[:100]

    @exposed
    def clear(self):
        self.query = ""

    def render(self):
        return self.html("search.html", hits=search(self.query))
