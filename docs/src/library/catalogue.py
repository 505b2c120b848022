"""Two hundred things that nobody sells: what the example of a table shows."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import islice, product

__all__ = ["PRODUCTS", "Product"]

_MADE = ("Copper", "Walnut", "Linen", "Enamel", "Cork", "Slate", "Brass", "Ash", "Wool", "Glass")
_THINGS = (
    "kettle", "lamp", "basket", "bowl", "tray", "clock", "stool", "jar", "shelf", "candlestick",
    "pitcher", "board", "mirror", "vase", "rack", "box", "ladle", "frame", "hook", "bench",
)  # fmt: skip


@dataclass(frozen=True)
class Product:
    """A thing with a price (in euros) and a number in stock."""

    id: int
    name: str
    price: float
    stock: int


def _make() -> tuple[Product, ...]:
    chosen = random.Random(200)  # the same shop everywhere
    names = islice(product(_THINGS, _MADE), 200)
    return tuple(
        Product(
            number, f"{made} {thing}", chosen.randrange(400, 24_000, 10) / 100, chosen.randrange(60)
        )
        for number, (thing, made) in enumerate(names, 1)
    )


PRODUCTS = _make()
