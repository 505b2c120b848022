"""Fixtures of the whole suite: the real services of `services.py`. No test asserts on time."""

from __future__ import annotations

from hypothesis import settings

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

settings.register_profile("without time limits", deadline=None)
settings.load_profile("without time limits")
