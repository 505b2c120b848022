"""`client='defer'`: the place that a page holds, and the component that comes into it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from asok.component import Component, exposed
from asok.errors import ComponentError, FrozenPageError, StateRefused
from asok.live import Deferred, Limits
from asok.live.deferred import Deferrals
from asok.signing import Keys

from .fake_client import wrappers
from .ports import KEYS, FakeSession, Site


class Cart(Component):
    title: str = "Cart"
    items: int = 0

    def mount(self) -> None:
        self.items = self.session.get("items", 0)

    def render_placeholder(self) -> str:
        return f"<p>{self.title} of {self.items}</p>"

    @exposed
    def add(self) -> None:
        self.items += 1

    def render(self) -> str:
        return f"<b>{self.title}: {self.items}</b>"


class Card(Component):
    def render(self) -> str:
        return f"<section>{self.slot}</section>"


class Nosy(Component):
    def render_placeholder(self) -> str:
        return str(self.session["items"])


class Mute(Component):
    def render_placeholder(self) -> str:
        return None  # type: ignore[return-value]  # pyright: ignore


class Outer(Component):
    def render(self) -> str:
        return self.html("outer.html")

    def render_placeholder(self) -> str:
        return self.html("outer.html")


TEMPLATES = {"outer.html": "<p>{{ this.slot }}</p>"}


def site(**options: Any) -> Site:
    return Site(Cart, Card, Nosy, Mute, Outer, templates=TEMPLATES, **options)


def asked(page: str) -> dict[str, str]:
    return dict(re.findall(r'<div id="([^"]+)"[^>]*? data-asok-defer="([^"]+)"', page))


def defer(one: Site, name: str, **options: Any) -> str:
    """A page for everybody with one deferred component."""
    return str(
        one.live.render(name, page="/p", session_id=None, frozen=True, client="defer", **options)
    )


def fill(one: Site, page: str, session: dict[str, Any]) -> str:
    (deferred,) = one.live.deferrals.read(asked(page)).values()
    return str(one.live.deferrals.fill(deferred, session_id="s" * 32, session=FakeSession(session)))


def test_a_place_says_what_belongs_there_and_nothing_of_a_visitor() -> None:
    one = site()
    page = defer(one, "Cart", props={"title": "Yours"})
    assert "<p>Yours of 0</p></div>" in page  # not mounted: nobody is known
    assert "data-asok-state" not in page
    ((element, deferred),) = one.live.deferrals.read(asked(page)).items()
    assert isinstance(deferred, Deferred)
    assert element == f"asok-{deferred.cid}"
    assert (deferred.name, deferred.page, bytes(deferred.props), deferred.slot) == (
        "Cart", "/p", b'{"title":"Yours"}', "",
    )  # fmt: skip
    assert defer(one, "Cart", props={"title": "Yours"}) == page


def test_it_has_the_identity_that_it_would_have_on_the_page() -> None:
    one = site()
    here = fill(one, defer(one, "Cart"), {})
    there = one.live.render("Cart", page="/p", session_id="s" * 32, frozen=True, client="only")
    cid = re.compile('id="([^"]+)"')
    assert cid.findall(here) == cid.findall(str(there))


def test_the_component_is_bound_to_the_visitor() -> None:
    one = site()
    inside = fill(one, defer(one, "Cart"), {"items": 7})
    assert "<b>Cart: 7</b></div>" in inside
    (wrapper,) = wrappers(inside)
    payload = one.live.tokens.read(wrapper["token"])
    assert payload.name == "Cart"
    assert hasattr(payload, "owner")
    assert "<script" not in inside


def test_the_slot_holds_the_place_and_comes_back() -> None:
    one = site()
    page = defer(one, "Card", slot="<i>wait</i>")
    assert "<i>wait</i></div>" in page
    assert "<section><i>wait</i></section>" in fill(one, page, {})


def test_the_scripts_are_written_once() -> None:
    one = site()
    with one.live.page("/p", frozen=True):
        page = "".join(
            str(one.live.component("Cart", client=client)) for client in ("defer", "defer", "only")
        )
    assert re.findall('src="([^"]+)"', page) == ["/asok/alive-0.js", "/asok/defer.js"]


def test_a_placeholder_can_not_read_the_visitor() -> None:
    with pytest.raises(FrozenPageError, match="Nosy"):
        defer(site(), "Nosy")


def test_the_error_of_a_page_that_reads_the_visitor_names_this_way_out() -> None:
    with pytest.raises(FrozenPageError) as error:
        site().live.render("Cart", page="/p", session_id=None, frozen=True)
    assert "{{ component('Cart', client='defer') }}" in str(error.value)


def test_a_placeholder_is_text() -> None:
    with pytest.raises(ComponentError, match=r"render_placeholder\(\) returned NoneType"):
        defer(site(), "Mute")


def test_a_placeholder_is_not_async() -> None:
    class Late(Component):
        async def render_placeholder(self) -> str:  # type: ignore[override]  # pyright: ignore
            return ""

    with pytest.raises(ComponentError, match="async"):
        Site(Late)


@pytest.mark.parametrize(
    "options", [{"slot": "x" * 8000}, {"props": {"title": "x" * 8000}}, {"slot": "x" * 70_000}]
)
def test_what_every_browser_would_send_back_is_small(options: dict[str, Any]) -> None:
    with pytest.raises(ComponentError) as error:
        defer(site(), "Cart", **options)
    assert error.value.fix


def test_a_page_defers_only_so_many() -> None:
    one = site(limits=Limits(components=2))
    with one.live.page("/p", frozen=True):
        one.live.component("Cart", client="defer")
        one.live.component("Cart", client="defer")
        with pytest.raises(ComponentError, match="more than 2"):
            one.live.component("Cart", client="defer")


@pytest.mark.parametrize(
    "change",
    [
        lambda element, token: {element + "x": token},
        lambda element, token: {"": token},
        lambda element, token: {element: token[:-1]},
        lambda element, token: {element: token.upper()},
        lambda element, token: {element: token + "A" * 9000},
        lambda element, token: {element: ""},
    ],
)  # fmt: skip
def test_what_is_not_whole_is_left_out(change: Any) -> None:
    one = site()
    ((element, token),) = asked(defer(one, "Cart")).items()
    assert one.live.deferrals.read(change(element, token)) == {}
    assert len(one.live.deferrals.read({**change(element, token), element: token})) == 1


def test_no_signed_value_is_taken_for_another_kind() -> None:
    one = site()
    page = defer(one, "Cart")
    ((element, token),) = asked(page).items()
    with pytest.raises(StateRefused):
        one.live.tokens.read(token)
    (wrapper,) = wrappers(fill(one, page, {}))
    assert one.live.deferrals.read({element: wrapper["token"]}) == {}


def test_old_keys_verify_and_removed_ones_do_not() -> None:
    one = site()
    page = asked(defer(one, "Cart"))
    old = "a-secret-key-of-at-least-32-characters"
    for keys, known in ((Keys([old, "new"]), 1), (Keys(["new"]), 0), (KEYS, 1)):
        assert len(Deferrals(one.live, keys, script_url="").read(page)) == known
