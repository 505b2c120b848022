"""Sessions, CSRF tokens and the Content-Security-Policy; knows no framework."""

from asok.sessions.csp import SECURITY_HEADERS, Policy, new_nonce
from asok.sessions.csrf import (
    FIELD,
    HEADER,
    SAFE_METHODS,
    Csrf,
    hidden_input,
    masked,
    origin_problem,
)
from asok.sessions.ids import SessionIds
from asok.sessions.origins import headers_problem
from asok.sessions.randomness import NONCES
from asok.sessions.redis import RedisSessionStore
from asok.sessions.session import Session
from asok.sessions.sqlite import SqliteSessionStore
from asok.sessions.store import MemorySessionStore, SessionStore, StoredSession
from asok.sessions.watched import WatchedSession

__all__ = [
    "FIELD",
    "HEADER",
    "NONCES",
    "SAFE_METHODS",
    "SECURITY_HEADERS",
    "Csrf",
    "MemorySessionStore",
    "Policy",
    "RedisSessionStore",
    "Session",
    "SessionIds",
    "SessionStore",
    "SqliteSessionStore",
    "StoredSession",
    "WatchedSession",
    "headers_problem",
    "hidden_input",
    "masked",
    "new_nonce",
    "origin_problem",
]
