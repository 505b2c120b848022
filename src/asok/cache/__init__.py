"""Caching: values, fragments of templates and whole pages, in memory, files or Redis."""

from asok.cache.api import MISSING, Computed, Store
from asok.cache.default import cache, configure, default
from asok.cache.page import (
    PagePolicy,
    cache_page,
    page_key,
    page_ttl,
    storable,
    undeclared,
)
from asok.cache.page_record import CachedPage
from asok.cache.region import Cache

__all__ = [
    "MISSING",
    "Cache",
    "CachedPage",
    "Computed",
    "PagePolicy",
    "Store",
    "cache",
    "cache_page",
    "configure",
    "default",
    "page_key",
    "page_ttl",
    "storable",
    "undeclared",
]
