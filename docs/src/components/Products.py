# src/components/Products.py
from dataclasses import replace
from operator import attrgetter
from typing import Annotated

from msgspec import Meta
from src.library.catalogue import PRODUCTS

from asok import Component, exposed

COLUMNS = ("name", "price", "stock")


class Products(Component):
    query: str = ""
    column: str = "name"
    descending: bool = False
    editing: int = 0
    # What this visitor changed: a price and a stock by the product's key.
    changed: dict[int, tuple[float, int]] = {}
    _bindable = ("query",)

    @property
    def rows(self):
        rows = [self.as_changed(row) for row in PRODUCTS]
        words = self.query.lower().split()
        found = [row for row in rows if all(word in row.name.lower() for word in words)]
        return sorted(found, key=attrgetter(self.column, "name"), reverse=self.descending)

    def as_changed(self, row):
        price, stock = self.changed.get(row.id, (row.price, row.stock))
        return replace(row, price=price, stock=stock)

    @exposed
    def sort(self, column: str):
        if column in COLUMNS:
            self.descending = column == self.column and not self.descending
            self.column = column

    @exposed
    def edit(self, id: int = 0):
        self.errors.clear()
        self.editing = id

    @exposed
    def save(
        self,
        id: int,
        price: Annotated[float, Meta(ge=0, le=10_000)],
        stock: Annotated[int, Meta(ge=0, le=9_999)],
    ):
        if any(row.id == id for row in PRODUCTS):
            self.changed = {**self.changed, id: (round(price, 2), stock)}
        self.editing = 0
