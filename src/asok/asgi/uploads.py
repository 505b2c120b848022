"""A request's body, read once, with its size bounded before anything is buffered."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from starlette.datastructures import ImmutableMultiDict, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HTTPRequest
from starlette.types import Message, Receive

from asok.asgi.file_names import safe_name

__all__ = ["Body", "Upload", "bounded", "read_body"]

MAX_FIELDS = 1000
MAX_FILES = 100


class Upload:
    """An uploaded file. `filename` is what the client called it, made safe: one part of a path,
    "" where nothing of it can be. Another visitor may use the same."""

    def __init__(self, upload: UploadFile) -> None:
        self.filename = safe_name(upload.filename or "")
        self.content_type = upload.content_type or "application/octet-stream"
        self.size = upload.size or 0
        self.file: IO[bytes] = upload.file

    def read(self) -> bytes:
        """Return the whole content, from its beginning."""
        self.file.seek(0)
        return self.file.read()

    def save(self, path: Path | str) -> None:
        """Write the content to `path`, which is the caller's to choose."""
        self.file.seek(0)
        with Path(path).open("wb") as target:
            shutil.copyfileobj(self.file, target)


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carried: the raw bytes (empty for a form), its fields and its files."""

    raw: bytes = b""
    form: ImmutableMultiDict[str, str] = field(default_factory=ImmutableMultiDict[str, str])
    files: ImmutableMultiDict[str, Upload] = field(default_factory=ImmutableMultiDict[str, Upload])

    def json(self) -> Any:
        """Parse the body as JSON (RFC 8259). Answers 400 for anything else."""
        try:
            return json.loads(self.raw, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise HTTPException(400, f"The request's body is not JSON: {error}.") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def bounded(receive: Receive, limit: int) -> Receive:
    """Wrap `receive` so that a body of more than `limit` bytes is answered with 413.

    It counts what arrives, so a chunked body without a length is stopped too (RFC 9110, 15.5.14).
    """
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > limit:
                raise too_large(limit)
        return message

    return counted


def too_large(limit: int) -> HTTPException:
    """The answer to a body over the limit; the connection is closed, the rest never read."""
    return HTTPException(
        413,
        f"The request's body is larger than {limit} bytes (MAX_CONTENT_LENGTH).",
        headers={"connection": "close"},
    )


async def read_body(request: HTTPRequest, limit: int) -> Body:
    """Read and parse the body of `request`. Raises `HTTPException` 400 or 413."""
    declared = request.headers.get("content-length", "")
    if declared and (not declared.isascii() or not declared.isdigit()):
        raise HTTPException(400, "The request's Content-Length is no number.")
    if len(declared) > 18 or (declared and int(declared) > limit):
        raise too_large(limit)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
            form = await request.form(
                max_fields=MAX_FIELDS, max_files=MAX_FILES, max_part_size=limit
            )
            texts: list[tuple[str, str]] = []
            files: list[tuple[str, Upload]] = []
            for name, value in form.multi_items():
                if isinstance(value, str):
                    texts.append((name, value))
                else:
                    files.append((name, Upload(value)))
            return Body(b"", ImmutableMultiDict(texts), ImmutableMultiDict(files))
        return Body(await request.body())
    except (MultiPartException, ValueError, LookupError) as error:  # also an unknown charset
        raise HTTPException(400, f"The submitted form can't be read: {error}.") from error
    except ClientDisconnect as error:
        raise HTTPException(400, "The client went away before its request was whole.") from error
