"""Inline scripts and styles of a template's own source, allowed by hash instead of by nonce.

A page with a nonce has another body for every visitor. Under `CSP = "hash"` the places where
a nonce would stand are marks of one render, as unguessable as the sentinels of `asok.holes`:
once the page is finished, the element around each mark is hashed (CSP Level 3, 2.3.1) and the
mark is taken away. Markup that arrived in a value has no mark, so its hash is nowhere.
"""

from __future__ import annotations

import html as entities
import re
import secrets as randomness
import sys
from base64 import b64encode
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NoReturn

from asok.errors import HoleError, TemplateError
from asok.holes import Holed, Sentinels
from asok.jinja import forms, html
from asok.jinja.state import State
from asok.jinja.tag import Tag, Values
from asok.sessions import Policy

__all__ = ["Hashing"]

#: Digits that no filter changes: see `asok.holes`.
_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_DIGITS: Final = str.maketrans("abcdefghijklmnop", "0123456789abcdef")
#: The marks of every render; whose one is, its letters tell. Compiled once: it takes longer
#: than reading a page.
_MARK: Final = re.compile("zqnonce([a-p]{32})([a-p]+)qz")
_ATTRIBUTE: Final = re.compile(
    r"""[\t\n\f\r ]+nonce[\t\n\f\r ]*=[\t\n\f\r ]*(["']?)(zqnonce[a-p]+qz)\1""", re.IGNORECASE
)
#: An element as nearly all are written: what is not, the tokeniser reads, ten times slower.
_PLAIN: Final = re.compile(
    r"""<(script|style)\ nonce="(zqnonce[a-p]+qz)"
    (?:\ (?!src\b)[a-z][a-z-]*(?:="[^"&<>]*")?)*>
    ([^<]*(?:<(?![/!])[^<]*)*)</\1>""",
    re.VERBOSE,
)
_OPENING: Final = re.compile(r"<(?:script|style)", re.IGNORECASE)
#: Without one that closes itself, which only foreign elements can (HTML 13.2.6.5).
_FOREIGN: Final = re.compile(r"<(/?)(?:svg|math)\b(?![^<>]*/>)", re.IGNORECASE)
_ABSENT: Final[Values] = frozenset({None})
_NEWLINE: Final = re.compile(r"\r\n?")

Place = tuple[str | None, int | None]


class Hashing:
    """One render whose own inline tags are hashed. `sentinels` are what it shows.

    `policy` is the site's; `tokens` says whether its forms carry CSRF tokens.
    """

    def __init__(self, policy: Policy, *, tokens: bool = True) -> None:
        self._policy = policy
        self._marks = _Marks(tokens=tokens)

    @property
    def sentinels(self) -> Sentinels:
        """The values of the render: marks for the nonce, a sentinel for the CSRF value."""
        return self._marks

    def finish(self, body: bytes) -> tuple[Holed, str | None]:
        """Return the finished page and its policy, None where the site's own one does.

        Raises `TemplateError` with the template's file and line for a nonce that stands where
        no hash can take its place, and `HoleError` for one that was changed.
        """
        if not self._marks.places:
            return self._marks.cut(body), None
        page = _Page(body.decode(), self._marks, self._policy)
        text = page.read()
        self._marks.check(text)
        header = self._policy.hashed(page.hashes["script"], page.hashes["style"])
        return self._marks.cut(text.encode()), header


class _Marks(Sentinels):
    """Sentinels whose nonces tell where they were written."""

    def __init__(self, *, tokens: bool) -> None:
        super().__init__(tokens=tokens)
        self._own = randomness.token_hex(16).translate(_LETTERS)
        self.places: list[Place] = []

    @property
    def nonce(self) -> str:
        index = f"{len(self.places):x}".translate(_LETTERS)
        self.places.append(_place())
        self._text["nonce"] = f"zqnonce{self._own}{index}qz"
        shown = self._show("nonce")
        self.shown["nonce"] = 0  # it leaves no hole
        return shown

    def find(self, text: str) -> list[re.Match[str]]:
        """Return where the marks of this render are in `text`."""
        return [mark for mark in _MARK.finditer(text) if mark[1] == self._own]

    def place(self, mark: re.Match[str]) -> Place:
        """Where a mark was written: a template's file and its line."""
        number = int(mark[2].translate(_DIGITS), 16)
        return self.places[number] if number < len(self.places) else (None, None)

    def check(self, text: str) -> None:
        """Raise `HoleError` where a part of a mark is left in `text`."""
        lower = text.lower()
        if self._own[:16] in lower or self._own[16:] in lower:
            raise HoleError(
                "a part of a nonce was left in the page after it was changed.",
                fix="Write the value straight into the page, without a filter.",
            )


def _place() -> Place:
    """The line of the template that is being rendered, or of the handler that asks for the
    nonce itself: for an error message."""
    handler: Place = (None, None)
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        # Jinja keeps the template among the globals of what it compiled.
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            return template.filename or template.name, template.get_corresponding_lineno(
                frame.f_lineno
            )
        name: str = frame.f_globals.get("__name__", "")
        if handler == (None, None) and name.partition(".")[0] not in ("asok", "markupsafe"):
            handler = frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return handler


class _Done(Exception):
    """The element was read."""


@dataclass(slots=True)
class _Element:
    """One `<script>` or `<style>` of a finished page: its start tag and where its text is."""

    tag: Tag | None = None
    begin: int = -1
    end: int = -1

    def read(self, text: str, at: int) -> _Element:
        """Read it from the page's `text`, where it begins at `at`."""
        with suppress(_Done):
            html.feed(State(), text[at:], at, raw=False, seen=self._seen)
        return self

    def _seen(self, state: State, tag: Tag, end: int) -> None:
        if self.tag is None:
            self.tag, self.begin = tag, end
            if tag.name not in ("script", "style"):
                raise _Done
        else:
            self.end = tag.start
            raise _Done


class _Page:
    """Reads a finished page at its marks."""

    def __init__(self, text: str, marks: _Marks, policy: Policy) -> None:
        self._text = text
        self._marks = marks
        self._policy = policy
        #: The page without the texts of its elements, as far as it was read.
        self._between: list[tuple[int, int]] = []
        self._read = 0
        self.hashes: dict[str, list[str]] = {"script": [], "style": []}

    def read(self) -> str:
        """Return the page without its marks; `hashes` are then those of its own elements."""
        found = self._marks.find(self._text)
        if not found:
            raise HoleError(
                f"this page asked for its nonce {len(self._marks.places)} times, but the finished "
                "page does not hold it.",
                fix="Write the value straight into the page: no filter, hash, encoding or "
                "variable that is dropped may stand between.",
            )
        parts: list[str] = []
        end = 0
        for mark in found:
            first, last = self._take(mark, end)
            parts.append(self._text[end:first])
            end = last
        return "".join(parts) + self._text[end:]

    def _take(self, mark: re.Match[str], after: int) -> tuple[int, int]:
        """Hash the element of `mark`; return where the attribute that holds it is."""
        place = self._marks.place(mark)
        element = self._element(mark, after)
        tag = element.tag
        if (
            tag is None
            or tag.name not in self.hashes
            or tag.values("nonce") != frozenset((mark[0],))
        ):
            self._refuse(
                "a nonce stands where it is no attribute of a <script> or <style>, and a page "
                'with CSP = "hash" has none',
                "Remove {{ nonce }} there: the page's own inline scripts and styles are allowed "
                'by their hash. A page that needs the value itself says CSP = "nonce".',
                place,
            )
        attribute = _ATTRIBUTE.search(self._text, tag.start, element.begin)
        if attribute is None or attribute.start(2) != mark.start():
            self._refuse(
                "a nonce is written in a way that is not understood",
                'Write nonce="{{ nonce }}", or nothing: it is added for you.',
                place,
            )
        if tag.name == "script" and tag.values("src") != _ABSENT:
            self._check_file(tag, place)
        else:
            self._hash(element, tag, place)
        return attribute.start(), attribute.end()

    def _element(self, mark: re.Match[str], after: int) -> _Element:
        """Return what the mark stands in; one without a tag where that is nothing."""
        for name in self.hashes:
            plain = _PLAIN.match(self._text, mark.start() - len(name) - 9)
            if plain is not None and plain[1] == name and plain[2] == mark[0]:
                tag = Tag(plain.start(), name, attributes={"nonce": frozenset((mark[0],))})
                return _Element(tag, plain.start(3), plain.end(3))
        opening = self._last(_OPENING, after, mark.start())
        return _Element() if opening is None else _Element().read(self._text, opening.start())

    def _check_file(self, tag: Tag, place: Place) -> None:
        """A script from a file needs no hash, but an origin that the policy allows."""
        (source,) = tag.values("src")
        url = entities.unescape(source or "")
        if forms.target(source) is forms.Target.SAME or self._policy.allows("script-src", url):
            return
        self._refuse(
            f'<script src="{url}"> is a file of another site, which a page with CSP = "hash" '
            "can't allow by itself",
            "Put the file below src/static and write src=\"{{ static('…') }}\", or allow its "
            'origin for the whole site: Asok(csp={"script-src": "\'self\' https://…"}).',
            place,
        )

    def _hash(self, element: _Element, tag: Tag, place: Place) -> None:
        if element.end < 0:
            self._refuse(f"<{tag.name}> never ends", f"Write </{tag.name}>.", place)
        text = self._text[element.begin : element.end]
        self._between.append((self._read, element.begin))
        self._read = element.end
        if ("&" in text or "<" in text) and self._is_foreign():
            self._refuse(
                f"the text of <{tag.name}> inside <svg> or <math> is read as markup",
                f"Move <{tag.name}> out of it, or write the text without '&' and '<'.",
                place,
            )
        # What a browser hashes is the text as it was parsed (HTML 13.2.3.5, 13.2.5.4).
        parsed = _NEWLINE.sub("\n", text).replace("\0", "\ufffd")
        digest = b64encode(sha256(parsed.encode()).digest()).decode()
        known = self.hashes[tag.name]
        if digest not in known:
            known.append(digest)

    def _is_foreign(self) -> bool:
        """Whether <svg> or <math> is open here. What scripts say of them is passed over."""
        found = (self._last(_FOREIGN, *part) for part in reversed(self._between))
        last = next(filter(None, found), None)
        return last is not None and not last[1]

    def _last(self, pattern: re.Pattern[str], start: int, end: int) -> re.Match[str] | None:
        found = deque(pattern.finditer(self._text, start, end), 1)
        return found[0] if found else None

    def _refuse(self, problem: str, fix: str, place: Place) -> NoReturn:
        file, line = place
        raise TemplateError(f"{problem}.", fix=fix, file=file, line=line)
