"""Fixtures of the whole suite: the real services of `services.py`."""

from __future__ import annotations

from .services import (
    chromium,
    console_errors,
    page,
    postgres_server,
    postgres_url,
    redis_url,
)

__all__ = [
    "chromium",
    "console_errors",
    "page",
    "postgres_server",
    "postgres_url",
    "redis_url",
]
