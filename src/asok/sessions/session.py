"""`request.session`: a dictionary of the visitor, kept on the server.

It is read from the store when it is first touched and written when it was changed. Setting
or deleting a key marks it as changed; after changing something inside a value
(`session["cart"].append(…)`) set `session.modified = True`, as documented.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, Final

from asok.errors import SessionError
from asok.sessions.store import SessionStore

__all__ = ["MAX_BYTES", "Session", "encode_value"]

#: A session larger than this is refused, loudly: nothing is dropped to make it fit.
MAX_BYTES: Final = 64 * 1024


class Session(MutableMapping[str, Any]):
    """One visitor's data. Keys are text, values are JSON types.

    `session_id` is the (genuine) id from the cookie, or None for a visitor without one;
    `new_id` makes one. `revoked` is called with an id that ended, so that live sockets can be
    closed, and with the one that takes its place at a login; None at a logout.
    """

    def __init__(
        self,
        store: SessionStore,
        session_id: str | None,
        *,
        new_id: Callable[[], str],
        revoked: Callable[[str, str | None], None] | None = None,
    ) -> None:
        self._store = store
        self._revoked = revoked
        self._data: dict[str, Any] | None = None
        self._loaded: dict[str, str] = {}
        self._exists = False
        self._ended: list[str] = []
        #: Whether what belonged to them belongs to the new id.
        self._inherits = True
        self._refresh_at = 0.0
        self._new_id = new_id
        self._cookie = session_id
        self.id = session_id
        self.modified = False

    @property
    def _all(self) -> dict[str, Any]:
        if self._data is None:
            self.load()
        assert self._data is not None
        return self._data

    def load(self) -> None:
        """Read the session from its store now (it is read when first touched otherwise)."""
        found = None if self.id is None else self._store.load(self.id)
        self._data = {} if found is None else found.data
        self._exists = found is not None
        # A session that is only read lives on too: prolonged once a tenth of it has passed.
        self._refresh_at = 0.0 if found is None else found.expires - 0.9 * self._store.idle
        self._loaded = {key: encode_value(key, value) for key, value in self._data.items()}

    @property
    def touched(self) -> bool:
        """Whether anything was read or written."""
        return self._data is not None

    @property
    def is_new(self) -> bool:
        """Whether `id` is none that the visitor's browser sent."""
        return self.id is not None and self.id != self._cookie

    def __getitem__(self, key: str) -> Any:
        return self._all[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SessionError(f"got the session key {key!r}, expected text.")
        self._all[key] = value
        self.modified = True

    def __delitem__(self, key: str) -> None:
        del self._all[key]
        self.modified = True

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __repr__(self) -> str:
        return f"<Session of {len(self)} keys>"

    def login(self, **data: Any) -> None:
        """Take a new id and keep the data: call it when somebody logs in.

        An id that was planted before the login is worth nothing after it, and tokens made
        for it are refused (session fixation, CWE-384).
        """
        self._rotate()
        self.update(data)
        self.modified = True

    def logout(self) -> None:
        """Forget everything and take a new id; the old session is gone in every worker."""
        self._rotate()
        self._inherits = False
        self._data = {}
        self.modified = False

    def _rotate(self) -> None:
        if self.id is not None:
            _ = self._all
            self._ended.append(self.id)
        self.id = self._new_id()
        self._exists = False
        self._loaded = {}

    def drop(self) -> None:
        """Forget what was changed since the request began: it failed, or can't be saved."""
        self._ended.clear()
        self._inherits = True
        self._data = None
        self.modified = False
        if self._cookie is not None:
            self.id = self._cookie

    def save(self) -> bool:
        """Write what changed; return whether the visitor needs a cookie with `id`.

        A session that was logged out meanwhile is not revived. Raises `SessionError` for
        values that are not JSON or for more than `MAX_BYTES`; then nothing has changed.
        """
        encoded = self._encoded() if self.modified and self._data is not None else None
        if encoded is not None:
            self._write(encoded)
        elif self._exists and self.id is not None and time.time() > self._refresh_at:
            self._store.merge(self.id, {}, ())
        while self._ended:
            ended = self._ended[0]
            self._store.delete(ended)
            del self._ended[0]
            if self._revoked is not None:
                self._revoked(ended, self.id if self._inherits else None)
        self._inherits = True
        return self.is_new

    def _encoded(self) -> dict[str, str]:
        assert self._data is not None
        encoded = {key: encode_value(key, value) for key, value in self._data.items()}
        size = sum(len(key) + len(value) for key, value in encoded.items())
        if size > MAX_BYTES:
            largest = max(encoded, key=lambda key: len(encoded[key]))
            raise SessionError(
                f"the session has {size} bytes, expected at most {MAX_BYTES}; the largest key "
                f"is {largest!r} with {len(encoded[largest])} bytes.",
                fix="Keep large values in the database or the cache, and their key here.",
            )
        return encoded

    def _write(self, encoded: dict[str, str]) -> None:
        assert self._data is not None
        if self.id is None:
            self.id = self._new_id()
        if self._exists:
            changed = {k: self._data[k] for k, v in encoded.items() if self._loaded.get(k) != v}
            removed = [key for key in self._loaded if key not in encoded]
            self._store.merge(self.id, changed, removed)
        else:
            self._store.create(self.id, self._data)
            self._exists = True
        self._loaded = encoded
        self.modified = False


def encode_value(key: str, value: Any) -> str:
    """Return a session's value as it is stored. Raises `SessionError` for what is not JSON."""
    try:
        return json.dumps(value, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SessionError(
            f"the session's {key!r} is of type {type(value).__name__} and can't be kept: {error}.",
            fix="Store text, numbers, booleans, None, lists and dictionaries of them.",
        ) from error
