"""Running a handler under `@cache_page`: its whole answer, and whether others may have it too.

The handler runs with sentinels in place of the visitor's nonce and CSRF value, and everything
that it reads of the visitor is noted. What the key does not hold makes the answer this
visitor's own. A stream is read to its end before anything is sent, so one that fails midway is
an error and not half a page.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response, StreamingResponse

from asok import holes
from asok.asgi.kept_answer import ABORTED, keep, with_body
from asok.asgi.request import Request
from asok.asgi.returned import to_response
from asok.cache import Cache, CachedPage, PagePolicy, storable
from asok.cache.held import take_tokens
from asok.errors import AsokError, RecordNotFound
from asok.holes import Holed, Sentinels
from asok.sharing import Sharing, covers, share

__all__ = ["Made", "Making"]

#: Bytes of a stream that is kept; a longer one is no page.
_LONGEST: Final = 16 * 1024 * 1024
_WHERE: Final = "the handler under @cache_page"


@dataclass(slots=True, kw_only=True)
class Made:
    """What a handler answered: a `page` for everybody, or one visitor's `response` or `error`.

    `reason` says why it is not for everybody; `private` whether that is because of the visitor,
    and not of how it went this time. `tags` and `until` are those of its parts.
    """

    page: CachedPage | None = None
    response: Response | None = None
    error: Exception | None = None
    reason: str = ""
    private: bool = False
    tags: dict[str, str] = field(default_factory=dict[str, str])
    until: float


class Making:
    """One run of a handler for `request`. `allowed` is what the key holds of the visitor."""

    def __init__(
        self,
        cache: Cache,
        request: Request,
        policy: PagePolicy,
        *,
        key: str,
        allowed: Collection[str],
    ) -> None:
        self._request = request
        self._policy = policy
        self._key = key
        self._allowed = allowed
        self._touched = request.visitor.session.touched
        self._method = request.method
        self._sentinels = Sentinels(tokens=request.visitor.secrets.tokens)
        self._sharing = Sharing(ask=lambda tags: take_tokens(cache, tags))

    def make(self, call: Callable[[], Any]) -> Made:
        """For a sync handler, in a thread without a loop."""
        self._request.watch(self._sharing)
        try:
            with holes.use(self._sentinels), share(self._sharing):
                response = to_response(call(), where=_WHERE)
                if _is_page(response):
                    return self._made(response, asyncio.run(_whole(response)))
            return self._made(response, None)
        except Exception as error:  # noqa: BLE001 (raised again, or kept for this visitor)
            return self._failed(error)
        finally:
            self._request.watch(None)

    async def make_async(self, call: Callable[[], Any]) -> Made:
        """For an async handler, on its loop."""
        self._request.watch(self._sharing)
        try:
            with holes.use(self._sentinels), share(self._sharing):
                value = call()
                response = to_response(
                    await value if inspect.isawaitable(value) else value, where=_WHERE
                )
                if _is_page(response):
                    return self._made(response, await _whole(response))
            return self._made(response, None)
        except Exception as error:  # noqa: BLE001 (raised again, or kept for this visitor)
            return self._failed(error)
        finally:
            self._request.watch(None)

    def _made(self, response: Response, body: bytes | None) -> Made:
        if body is None:
            reason = "it is a file or a stream of events"
            return Made(response=response, reason=reason, private=True, until=self._sharing.until)
        holed = self._sentinels.cut(body)
        headers = list(response.headers.items())
        read = self._read()
        reason = storable("GET", response.status_code, headers, policy=self._policy, read=read) or (
            "it has a background task" if response.background is not None else None
        )
        if reason is not None:
            own = with_body(response, holed.fill_from(self._request.visitor.secrets))
            # What only a HEAD shows says nothing about the page of a GET.
            private = response.status_code < 500 and "method" not in read
            return Made(response=own, reason=reason, private=private, until=self._sharing.until)
        return self._kept(response.status_code, headers, holed)

    def _failed(self, error: Exception) -> Made:
        """A 404 is a page like any other; another error is told to others only where it can't
        depend on this visitor."""
        read = self._read()
        missing = isinstance(error, RecordNotFound) or (
            isinstance(error, HTTPException) and error.status_code == 404 and not error.headers
        )
        if read:
            reason = f"it failed and depends on {', '.join(sorted(read))}"
            return Made(error=error, reason=reason, until=self._sharing.until)
        if not missing:
            raise error
        detail = error.detail if isinstance(error, HTTPException) else str(error)
        return self._kept(404, [(ABORTED, str(detail))], Holed((b"",)))

    def _kept(self, status: int, headers: Sequence[tuple[str, str]], body: Holed) -> Made:
        reads = self._parameters()
        page = keep(status, headers, body, policy=self._policy, key=self._key, reads=reads)
        return Made(page=page, tags=self._sharing.tags, until=self._sharing.until)

    def _read(self) -> set[str]:
        """What the handler read of its visitor and the key does not hold."""
        policy = self._policy
        read = {
            what
            for what in self._sharing.reads
            if not covers(self._allowed, what) and not what.startswith("query:")
        }
        read.difference_update(f"header:{name}" for name in policy.headers)
        if "cookie" in policy.headers:
            read = {what for what in read if not what.startswith("cookie:")}
        read.discard("path")
        if self._method == "GET":
            read.discard("method")  # a HEAD is answered by the page of a GET, never the reverse
        if policy.host:
            read.discard("host")
        session = self._request.visitor.session
        if session.modified or (session.touched and not self._touched):
            read.add("session")
        return read

    def _parameters(self) -> tuple[str, ...] | None:
        names = {
            what.removeprefix("query:")
            for what in self._sharing.reads
            if what.startswith("query:") and not covers(self._allowed, what)
        }
        return None if "*" in names else tuple(sorted(names))


def _is_page(response: Response) -> bool:
    """Whether an answer ends: a file is sent as it is, and a stream of events goes on and on."""
    kind = response.headers.get("content-type", "")
    return not isinstance(response, FileResponse) and not kind.startswith("text/event-stream")


async def _whole(response: Response) -> bytes:
    if not isinstance(response, StreamingResponse):
        return bytes(response.body)
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.body_iterator:
        chunks.append(str(chunk).encode() if isinstance(chunk, str) else bytes(chunk))
        size += len(chunks[-1])
        if size > _LONGEST:
            raise AsokError(
                f"a stream under @cache_page is longer than {_LONGEST} bytes, expected a page.",
                fix="Remove @cache_page from this handler.",
            )
    return b"".join(chunks)
