"""The visitor behind a request: the cookie, the session it names, and the CSRF binding.

One cookie holds a random id. Until a session is written the id names nothing in the store,
so an anonymous visitor costs no write; CSRF tokens are bound to it all the same.
"""

from __future__ import annotations

from collections.abc import Callable

from asok.asgi.drafts import Draft
from asok.holes import VisitorSecrets
from asok.sessions import (
    Csrf,
    Session,
    SessionIds,
    SessionStore,
    WatchedSession,
    new_nonce,
)

__all__ = ["Visitor"]


class Visitor:
    """What one request knows of who sent it; everything is looked up when first needed.

    With `watched` (development) its session warns of changes that nobody saves.
    """

    def __init__(
        self,
        session_id: str | None,
        *,
        store: SessionStore,
        ids: SessionIds,
        csrf: Csrf | None,
        revoked: Callable[[str, str | None], None] | None = None,
        draft: Draft | None = None,
        watched: bool = False,
    ) -> None:
        kind = WatchedSession if watched else Session
        self.session = kind(store, session_id, new_id=ids.new, revoked=revoked)
        self._ids = ids
        self._csrf = csrf
        self.draft = draft or Draft()
        self.secrets = VisitorSecrets(new_nonce, None if csrf is None else lambda: self.csrf_token)

    @property
    def csrf_token(self) -> str:
        """This visitor's token; asking for it mints an id for a visitor without one.

        Empty where forms are checked without one (ASOK_CSRF=headers).
        """
        if self._csrf is None:
            return ""
        if self.session.id is None:
            self.session.id = self._ids.new()
        return self._csrf.token(self.session.id)

    def valid(self, token: str) -> bool:
        """Whether `token` was made for this visitor's session."""
        if self._csrf is None or self.session.id is None:
            return False
        return self._csrf.valid(token, self.session.id)

    def finish(self) -> str | None:
        """Save the session; return the id to set as a cookie, or None where none is due."""
        return self.session.id if self.session.save() else None

    @property
    def cookie_due(self) -> str | None:
        """The id to set as a cookie where nothing could be saved: that of the shown tokens."""
        return self.session.id if self.session.is_new else None
