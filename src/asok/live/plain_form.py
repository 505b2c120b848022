"""Forms of components for browsers without JavaScript: what makes `ws-submit` a plain POST."""

from __future__ import annotations

import html
import json
import re
from typing import Any, Final

__all__ = ["CALL_FIELD", "STATE_FIELD", "plain_forms", "read_call"]

#: The hidden fields that hold the signed state and what `ws-submit` calls.
STATE_FIELD: Final = "asok-state"
CALL_FIELD: Final = "asok-call"

_VALUE: Final = r"""(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+)"""
_ATTRIBUTE: Final = rf"""\s+[^\s"'<>/=]+(?:\s*=\s*{_VALUE})?"""
_FORM: Final = re.compile(rf"<form((?:{_ATTRIBUTE})*)\s*>", re.IGNORECASE)
_SUBMIT: Final = re.compile(rf"\sws-submit(?:\.[\w.-]+)?\s*=\s*({_VALUE})", re.IGNORECASE)
_METHOD: Final = re.compile(rf"\smethod\s*=\s*{_VALUE}", re.IGNORECASE)
_FILE: Final = re.compile(r"""\stype\s*=\s*["']?file\b""", re.IGNORECASE)
_ENCTYPE: Final = re.compile(r"\senctype\s*=", re.IGNORECASE)
_ACTION: Final = re.compile(r"\saction\s*=", re.IGNORECASE)
_CALL: Final = re.compile(r"\s*([A-Za-z]\w*)\s*(?:\((.*)\))?\s*", re.DOTALL)


def plain_forms(inside: str, *, token: str, action: str) -> str:
    """Return a component's HTML whose forms can be sent without JavaScript.

    A form with `ws-submit` and no action of its own gets one, with the state of its component,
    and the encoding that carries files where there is a field for some.
    Forms of components inside this one have theirs already.
    """
    if "ws-submit" not in inside:
        return inside

    has_files = _FILE.search(inside) is not None

    def fill(form: re.Match[str]) -> str:
        attributes = form[1]
        submit = _SUBMIT.search(attributes)
        if submit is None or _ACTION.search(attributes):
            return form[0]
        code = html.unescape(submit[1].strip("\"'") if submit[1][0] in "\"'" else submit[1])
        rest = _METHOD.sub("", attributes)
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(value)}">'
            for name, value in ((STATE_FIELD, token), (CALL_FIELD, code))
        )
        if has_files and not _ENCTYPE.search(rest):
            rest += ' enctype="multipart/form-data"'
        return f'<form{rest} method="post" action="{html.escape(action)}">{hidden}'

    return _FORM.sub(fill, inside)


def read_call(code: str) -> tuple[str, list[Any]]:
    """Return the method and the arguments of `ws-submit="save(1, 'x')"`, as the browser reads
    them. Raises `ValueError`."""
    found = _CALL.fullmatch(code[:2048])
    if found is None:
        raise ValueError(f"{code[:64]!r} calls nothing")
    try:
        return found[1], json.loads(f"[{(found[2] or '').replace(chr(39), chr(34))}]")
    except RecursionError as error:
        raise ValueError(f"{found[1][:64]} gets arguments that nest too deep") from error
