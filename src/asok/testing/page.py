"""`LivePage`: a page with live components, driven by a test as a visitor drives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from asok.errors import DriveError
from asok.testing import finding
from asok.testing.component import LiveComponent
from asok.testing.document import Document, Node
from asok.testing.element import Element
from asok.testing.hands import Hands
from asok.testing.view import View

__all__ = ["LivePage"]


class LivePage:
    """What `live(…)` returns. Elements are meant by what they show (`"Add 1"`) or by a CSS
    selector that begins with `#`, `.` or `[`; `within` says where to look.

    Every action waits for its answers and raises what the component raised. An element that is
    not there is a `DriveError`, which is an `AssertionError` too.
    """

    def __init__(self, view: View, anew: Callable[[str | None], View]) -> None:
        self._view = view
        self._anew = anew
        self._hands = Hands(view)
        self._since = 0

    def __repr__(self) -> str:
        return f"<LivePage {self.text[:60]!r}>"

    def __enter__(self) -> LivePage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What it shows.

    @property
    def html(self) -> str:
        """The HTML, as it is in the browser now."""
        return self._view.document().html

    @property
    def text(self) -> str:
        """The text as a reader sees it, white space as one space."""
        return self._view.document().text

    def find(self, selector: str, *, within: str | None = None) -> Element:
        """Return the only element that a selector finds."""
        return Element.of(finding.one(self._view.document(), selector, within))

    def all(self, selector: str) -> list[Element]:
        """Return every element that a selector finds."""
        return [Element.of(node) for node in self._view.document().css(selector)]

    @property
    def frames(self) -> list[str]:
        """The HTML of every answer to the last action: one for each `yield`, and the last."""
        self._view.catch_up()
        return [html for _, html in self._view.connection.shows[self._since :]]

    @property
    def state(self) -> dict[str, Any]:
        """The fields of the first component, as they are stored."""
        return self.component().state

    @property
    def errors(self) -> dict[str, str]:
        """The messages of the first component's form, by field."""
        return self.component().errors

    @property
    def session(self) -> Any:
        """The visitor's session, as it is stored now."""
        self._view.catch_up()
        return self._view.stage.session(self._view.session_id)

    @property
    def dispatched(self) -> list[tuple[str, Any]]:
        """What `self.dispatch` told the page's scripts: names and details."""
        return [(frame[2], frame[3]) for frame in self._frames("d")]

    @property
    def redirected(self) -> str | None:
        """Where `self.redirect` sent the browser last."""
        found = self._frames("g")
        return found[-1][2] if found else None

    @property
    def reloads(self) -> list[str]:
        """Why the server asked to load the page anew: guard, session, schema, …"""
        return [frame[1] for frame in self._frames("r")]

    def _frames(self, kind: str) -> list[list[Any]]:
        self._view.catch_up()
        return [frame for frame in self._view.connection.frames if frame[0] == kind]

    def component(self, name: str | None = None, at: int = 0) -> LiveComponent:
        """Return a component by its class's name or its cid; the `at`th of that name."""
        self._view.catch_up()
        names = {cid: self._view.name(cid) for cid in self._view.cids()}
        found = [cid for cid, known in names.items() if name in (None, known, cid)]
        if at >= len(found):
            shown = ", ".join(dict.fromkeys(names.values())) or "none"
            what = f"component {name!r}" if name else "component"
            raise DriveError(
                f"there is no {what} number {at} on the page.",
                fix=f"There are: {shown}." if names else "Its guard may have refused the visitor.",
            )
        return LiveComponent(self._view, found[at])

    # What a visitor does.

    def click(self, what: str, *, within: str | None = None) -> LivePage:
        """Click what shows this text, or is found by this selector."""
        document = self._begin()
        self._hands.click(document, finding.button(document, what, within))
        return self

    def type(self, what: str, text: str, *, within: str | None = None) -> LivePage:
        """Write `text` into a field: found by its label, name, placeholder or a selector."""
        document = self._begin()
        self._hands.write(document, finding.field(document, what, within), text)
        return self

    def change(self, what: str, value: Any, *, within: str | None = None) -> LivePage:
        """Choose in a select (by value or text; a list for several), tick a box (True, False),
        or write into a field and leave it."""
        document = self._begin()
        self._hands.change(document, finding.field(document, what, within), value)
        return self

    def submit(
        self,
        what: str | None = None,
        values: Mapping[str, Any] | None = None,
        *,
        within: str | None = None,
    ) -> LivePage:
        """Send a form: the one found by a selector or by a button in it, or the only one.

        `values` are written into its fields first, by their labels or names; a file is a path,
        `("a.png", b"…")` or `("a.png", b"…", "image/png")`, and several are a list. The browser's
        own checks, such as `required`, are not made: a script would not make them either.
        """
        document = self._begin()
        form = finding.form(document, what, within)
        by_text = what is not None and not finding.is_selector(what)
        pressed = finding.button(document, what, within) if what and by_text else None
        self._hands.submit(document, form, pressed, values or {})
        return self

    def key(self, key: str, what: str | None = None, *, within: str | None = None) -> LivePage:
        """Press a key (`"enter"`, `"escape"`, `"a"`) in a field, or in the one written last."""
        document = self._begin()
        self._hands.key(document, self._field(document, what, within), key)
        return self

    def focus(self, what: str, *, within: str | None = None) -> LivePage:
        """Enter a field."""
        document = self._begin()
        self._hands.focus(document, finding.field(document, what, within))
        return self

    def blur(self, what: str | None = None, *, within: str | None = None) -> LivePage:
        """Leave a field, or the one written last."""
        document = self._begin()
        self._hands.blur(document, self._field(document, what, within))
        return self

    def poll(self) -> LivePage:
        """Let the time of every `ws-poll` come once."""
        self._hands.poll(self._begin())
        return self

    def call(
        self, method: str, *args: Any, data: Mapping[str, Any] | None = None, wait: bool = True
    ) -> LivePage:
        """Call a method of the first component as any browser could; see `LiveComponent`."""
        self._begin()
        self.component().call(method, *args, data=data, wait=wait)
        return self

    # What happens elsewhere.

    def broadcast(self, topic: str, /, **payload: Any) -> LivePage:
        """Tell all components that listen to `topic`, as `asok.broadcast` does."""
        self._begin()
        self._view.stage.live.broadcasts.publish(topic, payload)
        self._view.catch_up()
        return self

    def settle(self) -> LivePage:
        """Wait for calls that were made without waiting."""
        self._view.catch_up(wait=True)
        return self

    def reconnect(self) -> LivePage:
        """Lose the connection and come back, as after a deploy or a tunnel."""
        self._begin()
        self._view.action(self._view.connection.reconnect())
        return self

    def reload(self) -> LivePage:
        """Load the page anew, as the same visitor; returns the new page."""
        self.close()
        return self.tab()

    def tab(self) -> LivePage:
        """Open the page once more, as the same visitor."""
        return LivePage(self._anew(self._view.session_id), self._anew)

    def visitor(self) -> LivePage:
        """Open the page as another visitor."""
        return LivePage(self._anew(None), self._anew)

    def close(self) -> None:
        """Leave the page; also done when the test ends."""
        self._view.close()

    def _begin(self) -> Document:
        document = self._view.document()
        self._since = len(self._view.connection.shows)
        return document

    def _field(self, document: Document, what: str | None, within: str | None) -> Node:
        if what is None:
            return self._hands.focused(document)
        return finding.field(document, what, within)
