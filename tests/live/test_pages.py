"""Components in pages: wrapper, identity, token, what a stored page may know."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from asok import holes
from asok.component import Component, exposed
from asok.errors import ComponentError, FrozenPageError, LiveError, StateError
from asok.live import Html, Limits, SocketSecrets, owner_of
from asok.live.token import NO_STATE, Frozen, Joined

from .fake_client import FakeClient, wrappers
from .ports import Site


class Counter(Component):
    count = 0

    @exposed
    def increment(self) -> None:
        self.count += 1

    def render(self) -> str:
        return self.html("counter.html")


class Inner(Component):
    text: str = "inner"

    def render(self) -> str:
        return f"<i>{self.text}</i>"


class Outer(Component):
    def render(self) -> str:
        return self.html("outer.html")


class Card(Component):
    title: str

    @exposed
    def rename(self, title: str) -> None:
        self.title = title


class Visitor(Component):
    name: str = ""

    def mount(self) -> None:
        self.name = self.session.get("name", "nobody")

    def render(self) -> str:
        return self.name


TEMPLATES = {
    "counter.html": "<b>{{ count }}</b>",
    "outer.html": "<p>{{ this.inner }}</p>",
    "card.html": "<h2>{{ title }}</h2>{{ slot }}",
}


def site(**options: Any) -> Site:
    return Site(Counter, Inner, Outer, Card, Visitor, templates=TEMPLATES, **options)


def payload(one: Site, page: str, at: int = 0) -> Frozen | Joined:
    return one.live.tokens.read(wrappers(page)[at]["token"])


def test_the_wrapper_says_what_the_runtime_needs() -> None:
    page = site().page("Counter", count=10, client="visible", cid="cart")

    assert page.startswith('<div id="asok-cart" data-asok-component="Counter" data-asok-state="')
    assert 'data-asok-client="visible"><b>10</b></div>' in page
    assert page.endswith('<script type="module" src="/asok/alive-0.js"></script>')


def test_template_engines_take_it_for_markup() -> None:
    assert isinstance(site().page("Counter"), Html)


def test_a_frozen_page_has_the_same_bytes_for_everybody_and_every_build() -> None:
    assert site().page("Counter", frozen=True) == site().page(
        "Counter", frozen=True, session_id="somebody"
    )


def test_a_frozen_token_holds_the_constructors_values_and_no_visitor() -> None:
    one = site()
    token = payload(one, one.page("Counter", count=10, frozen=True, session_id="somebody"))

    assert isinstance(token, Frozen)
    assert (token.name, bytes(token.props)) == ("Counter", b'{"count":10}')


def test_a_visitors_token_is_bound_to_the_session() -> None:
    one = site()
    token = payload(one, one.page("Counter", count=10, session_id="somebody"))

    assert isinstance(token, Joined)
    assert (token.owner, token.version) == (owner_of("somebody"), 0)
    assert bytes(token.state) == b'{"count":10}'


def test_a_visitor_without_session_gets_a_frozen_token() -> None:
    one = site()

    assert isinstance(payload(one, one.page("Counter")), Frozen)


def test_identity_is_path_class_and_ordinal() -> None:
    live = site().live
    with live.page("/a"):
        first, second, other = (live.component(name) for name in ("Counter", "Counter", "Inner"))
    with live.page("/a"):
        again = live.component("Counter")
    with live.page("/b"):
        elsewhere = live.component("Counter")

    cids = [wrappers(page)[0]["cid"] for page in (first, second, other, elsewhere)]
    assert len(set(cids)) == 4
    assert wrappers(again)[0]["cid"] == cids[0]


def test_an_explicit_identity_is_the_same_everywhere_and_once_a_page() -> None:
    live = site().live
    with live.page("/a"):
        first = live.component("Counter", cid="cart")
        with pytest.raises(ComponentError, match="two components on this page have cid='cart'"):
            live.component("Inner", cid="cart")
    with live.page("/b"):
        assert wrappers(live.component("Counter", cid="cart"))[0]["cid"] == "cart"
    assert wrappers(first)[0]["cid"] == "cart"


@pytest.mark.parametrize("cid", ["", "a b", 'a"b', "x" * 65, "é"])
def test_an_ill_formed_identity_is_refused(cid: str) -> None:
    with pytest.raises(ComponentError, match="expected 1 to 64 letters"):
        site().page("Counter", cid=cid)


def test_the_script_comes_once() -> None:
    live = site().live
    with live.page("/"):
        page = live.component("Counter") + live.component("Counter")

    assert page.count("<script") == 1


def test_a_cached_fragment_brings_its_own_script() -> None:
    live = site().live
    with live.page("/", session_id="somebody"), holes.use(SocketSecrets()):
        first = live.component("Counter")
        with holes.use(holes.Sentinels()):
            cached = live.component("Counter")

    assert ("<script" in first, "<script" in cached) == (True, True)


def test_a_cached_fragment_is_bound_to_nobody() -> None:
    one = site()
    with one.live.page("/", session_id="somebody"), holes.use(holes.Sentinels()):
        assert isinstance(payload(one, one.live.component("Counter")), Frozen)
        with pytest.raises(FrozenPageError, match="read its session"):
            one.live.component("Visitor")


def test_a_frozen_page_can_not_read_the_session() -> None:
    with pytest.raises(FrozenPageError, match="Visitor read its session"):
        site().page("Visitor", frozen=True, session_id="somebody")


def test_a_visitor_without_session_has_none_to_read() -> None:
    with pytest.raises(LiveError, match="this visitor has none"):
        site().page("Visitor")


def test_a_visitors_page_reads_the_requests_own_session() -> None:
    one = site()
    one.session("somebody")["name"] = "from the store"
    request_session = one.session("request")
    request_session["name"] = "Ada"

    with one.live.page("/", session_id="somebody", session=request_session):
        assert ">Ada</div>" in one.live.component("Visitor")
    assert ">from the store</div>" in one.page("Visitor", session_id="somebody")


def test_outside_a_page_a_component_can_not_be() -> None:
    with pytest.raises(LiveError, match="outside any page"):
        site().live.component("Counter")


def test_unknown_names_and_values_have_a_suggestion() -> None:
    with pytest.raises(ComponentError, match="Did you mean 'Counter'"):
        site().page("Conter")
    with pytest.raises(ComponentError, match="Did you mean 'count'"):
        site().page("Counter", cuont=1)
    with pytest.raises(StateError, match=r"Counter\.count got \[1\]"):
        site().page("Counter", count=[1])


def test_a_component_that_never_lives_has_no_token_and_no_script() -> None:
    page = site().page("Counter", client="none", session_id="somebody")

    assert wrappers(page) == []
    assert "<b>0</b>" in page
    assert "<script" not in page


def test_a_component_that_only_lives_is_not_on_the_page() -> None:
    page = site().page("Counter", client="only", count=5)

    assert 'data-asok-client="only"></div>' in page


def test_components_inside_components_have_identities_of_their_own() -> None:
    one = site()

    def inner(self: Outer) -> Html:
        return Html(one.live.component("Inner") + one.live.component("Inner", text="2"))

    Outer.inner = inner  # type: ignore[attr-defined]
    page = one.page("Outer", session_id="somebody")

    found = wrappers(page)
    assert [w["name"] for w in found] == ["Outer", "Inner", "Inner"]
    assert len({w["cid"] for w in found}) == 3
    assert page.count("<script") == 1
    assert page.endswith("</script>")
    assert [w["cid"] for w in wrappers(one.page("Outer", session_id="x"))] == [
        w["cid"] for w in found
    ]


def test_a_slot_is_shown_and_kept_without_secrets() -> None:
    one = site()
    slot = Html('<form><input name="csrf_token" value="secret"></form>')
    page = one.page("Card", title="<T>", slot=slot)

    assert f"<h2>&lt;T&gt;</h2>{slot}</div>" in page
    assert "secret" not in payload(one, page).slot


def test_too_much_for_a_page_is_refused() -> None:
    small = Limits(state_bytes=100)

    with pytest.raises(ComponentError, match="Give it the key of the data"):
        site(limits=small).page("Card", title="x" * 200)
    with pytest.raises(ComponentError, match="slot of component Card"):
        site(limits=small).page("Card", title="", slot="x" * 200)


def test_a_render_that_makes_no_text_is_refused() -> None:
    class Silent(Component):
        def render(self) -> Any:
            self.cid  # noqa: B018

    one = Site(Silent)
    with pytest.raises(ComponentError, match=r"Silent\.render\(\) returned NoneType"):
        one.page("Silent")


def test_the_default_render_takes_the_classes_own_template() -> None:
    assert "<h2>x</h2>" in site().page("Card", title="x")


def test_what_is_stored_comes_back_on_the_visitors_page() -> None:
    import asyncio

    one = site()

    async def click() -> None:
        client = FakeClient(one.live, "somebody")
        [shown] = await client.join(one.page("Counter", count=10, session_id="somebody"))
        await client.call(shown, "increment")

    asyncio.run(click())

    page = one.page("Counter", count=10, session_id="somebody")
    token = payload(one, page)
    assert "<b>11</b>" in page
    assert isinstance(token, Joined)
    assert (token.version, token.state) == (1, NO_STATE)
    assert "<b>10</b>" in one.page("Counter", count=10, session_id="other")
    assert "<b>20</b>" in one.page("Counter", count=20, session_id="somebody")


def test_a_row_that_does_not_fit_counts_as_none() -> None:
    one = site()
    page = one.page("Counter", cid="c", session_id="somebody")
    token = payload(one, page)
    from asok.live import Row
    from asok.live.token import digest

    broken = Row(b'{"count":[]}', 3, token.schema, digest(token.props), 1)
    one.live.store.save(owner_of("somebody"), "c", broken, replaces=0)

    again = payload(one, one.page("Counter", cid="c", session_id="somebody"))
    assert isinstance(again, Joined)
    assert (again.version, bytes(again.state)) == (3, b'{"count":0}')


def test_values_in_a_token_are_in_one_order() -> None:
    class Pair(Component):
        a: int = 0
        b: int = 0

        def render(self) -> str:
            return ""

    one = Site(Pair)

    assert one.page("Pair", a=1, b=2) == one.page("Pair", b=2, a=1)
    assert msgspec.json.decode(payload(one, one.page("Pair", b=2, a=1)).props) == {"a": 1, "b": 2}
