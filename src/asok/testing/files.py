"""The files that a visitor chooses in a form, as the server takes them."""

from __future__ import annotations

import io
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from starlette.datastructures import Headers, UploadFile

from asok.asgi.uploads import Upload
from asok.errors import DriveError

__all__ = ["apart", "chosen_files"]


def chosen_files(value: Any) -> list[Upload]:
    """Return what `value` chooses: a path, `(name, bytes)`, `(name, bytes, type)`, or a list of
    such; "" for the empty choice that browsers send too. Raises `DriveError`."""
    several = cast("list[Any]", value if isinstance(value, list) else [value])
    return [_upload(one) for one in several]


def _upload(value: Any) -> Upload:
    if value == "":
        value = ("", b"")
    if isinstance(value, str | Path):
        value = (Path(value).name, Path(value).read_bytes())
    match value:
        case (str(name), bytes(content)):
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        case (str(name), bytes(content), str(kind)):
            pass
        case _:
            raise DriveError(
                f"a file field got {value!r}.",
                fix='Give it a path, ("a.png", b"…"), ("a.png", b"…", "image/png"), or a list.',
            )
    headers = Headers({"content-type": kind})
    return Upload(
        UploadFile(io.BytesIO(content), size=len(content), filename=name, headers=headers)
    )


def apart(
    data: Mapping[str, Any] | None,
) -> tuple[dict[str, Any] | None, dict[str, list[Upload]]]:
    """Return the texts of a form and its files, each by field."""
    if data is None:
        return None, {}
    texts: dict[str, Any] = {}
    files: dict[str, list[Upload]] = {}
    for name, value in data.items():
        several = cast("list[Any]", value if isinstance(value, list) else [value])
        if any(isinstance(one, Upload) for one in several):
            files[name] = several
        else:
            texts[name] = value
    return texts, files
