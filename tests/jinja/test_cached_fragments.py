"""`{% cache %}` over the site's cache: keys, tags, ends, old texts, and what never gets in."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from asok import dependencies, holes, sharing
from asok.cache import Cache
from asok.errors import TemplateError
from asok.jinja import Templates
from asok.jinja.cached_fragments import CachedFragments
from asok.jinja.fragment_key import NOTHING, fragment_key
from asok.jinja.kept_fragment import Fragment
from asok.sharing import Sharing, share


@pytest.fixture
def cache() -> Cache:
    return Cache()


class Site:
    """Renders templates over one cache; `n` counts what was rendered."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self.templates = Templates(roots=[], fragments=CachedFragments(cache))
        self.made = 0

    def n(self) -> int:
        self.made += 1
        return self.made

    def __call__(self, source: str, **context: Any) -> str:
        return self.templates.render_string(source, {"n": self.n, **context})


@pytest.fixture
def site(cache: Cache) -> Site:
    return Site(cache)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.binary() | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=5,
)  # fmt: skip


def _typed(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_typed(item) for item in value]
    return (type(value), repr(value) if isinstance(value, Decimal | float) else value)


@given(st.tuples(VALUES, VALUES | st.just(NOTHING)), st.tuples(VALUES, VALUES | st.just(NOTHING)))
def test_different_keys_and_values_are_never_one(one: Any, two: Any) -> None:
    try:
        keys = [fragment_key(key, vary, "0123456789ab") for key, vary in (one, two)]
    except TemplateError:
        return
    assert (keys[0] == keys[1]) == (_typed(one) == _typed(two))


def test_keys_that_look_alike_are_not() -> None:
    made = [
        fragment_key(key, vary, source)
        for source in ("a" * 12, "b" * 12)
        for vary in (NOTHING, None, "", 1, "1", True, 1.0, (1,), ("1",), "x" * 1000, "x" * 1001)
        for key in ("a", "a:", '["a"]', 1, "1", True, 1.0, (1,), (1, None), "x" * 1000, "x" * 999)
    ]
    assert len(set(made)) == len(made)
    assert all(len(key) < 600 for key in made)
    assert fragment_key(Markup("a"), Markup("b"), "") == fragment_key("a", "b", "")


def test_two_templates_with_one_key_keep_their_own_texts(site: Site) -> None:
    assert site("{% cache 'k' %}one{% endcache %}") == "one"
    assert site("{% cache 'k' %}two{% endcache %}") == "two"
    assert site("\n{% cache 'k' 5 %}{{ n() }}{% endcache %}") == "\n1"
    assert site("moved: {% cache 'k' 5 %}{{ n() }}{% endcache %}") == "moved: 1"


def test_a_flushed_tag_drops_the_fragment_and_all_around_it(site: Site) -> None:
    source = (
        "{% cache 'outer', tags='outer' %}{{ n() }}"
        "{% cache 'inner', tags=['posts', 'post:' ~ id] %}{{ n() }}{% endcache %}{% endcache %}"
    )
    assert site(source, id=1) == site(source, id=1) == "12"
    site.cache.forget_tags("post:1")
    assert site(source, id=1) == "34"
    site.cache.forget_tags("outer")
    assert site(source, id=1) == "54"
    assert site(source, id=1) == "54", "the outer has the tags of an inner that was there already"
    site.cache.forget_tags("posts")
    assert site(source, id=1) == "67"


def test_a_tag_that_is_flushed_while_it_renders_wins(site: Site) -> None:
    source = (
        "{% cache 'o' %}{% cache 'i', tags='t' %}{{ n() }}{% endcache %}{{ f() }}{% endcache %}"
    )
    assert site(source, f=lambda: site.cache.forget_tags("t") or "") == "1"
    assert site(source, f=str) == site(source, f=str) == "2"


def test_an_outer_one_ends_with_what_it_holds(site: Site) -> None:
    source = (
        "{% cache 'outer' 3600 %}{% cache 'a' 50 %}a{% endcache %}"
        "{% cache 'b' 20 %}b{% endcache %}{% endcache %}"
    )
    page = Sharing()
    with share(page):
        site(source)
        first = page.until
        site(source)
    assert page.until == first
    store: Any = site.cache.store
    ends = {key.rsplit(":", 1)[1]: kept.fresh_until for key, kept in store._data.items()}
    assert ends["outer"] <= ends["b"] < ends["a"]


def test_an_old_text_is_shown_while_one_renders(
    site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "{% cache 'k' 60, stale=600, tags='t' %}{{ f() }}{% endcache %}"
    now = [1_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    assert site(source, f=lambda: "old") == "old"
    now[0] += 61
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        assert go_on.wait(20)
        return "new"

    with ThreadPoolExecutor() as pool:
        one = pool.submit(site, source, f=slow)
        assert begun.wait(20)
        assert site(source, f=lambda: "another") == "old"
        go_on.set()
        assert one.result() == "new"
    assert site(source, f=lambda: "another") == "new"
    now[0] += 61
    with caplog.at_level(logging.ERROR):
        assert site(source, f=lambda: 1 // 0) == "new"
    assert "stays stale" in caplog.text
    site.cache.flush()

    def flushing() -> str:
        site.cache.flush()
        return "flushed"

    assert site(source, f=lambda: "after") == "after"
    now[0] += 61
    assert site(source, f=flushing) == "flushed"
    assert site(source, f=lambda: "anew") == "anew", "what a purge overtook is not kept"


def test_many_who_ask_at_once_cost_one_render_and_get_no_error_of_another(site: Site) -> None:
    source = "{% cache 'k' %}{{ f() }}{{ n() }}{% endcache %}"
    lock = threading.Barrier(8)

    def ask(number: int) -> str:
        lock.wait(20)
        try:
            return site(source, f=lambda: "" if number else 1 // 0)
        except ZeroDivisionError:
            return "failed"

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert {text for text in found if text != "failed"} == {"1"}
    assert found.count("failed") <= 1


def test_a_damaged_text_costs_a_render(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    source = "{% cache 'k' %}{{ n() }}{% endcache %}"
    assert site(source) == "1"
    store: Any = site.cache.store
    (key,) = store._data
    for number, damaged in enumerate(
        [
            None,
            "text",
            (),
            (1, "text", (), (), None),
            (1, b"\xff", (), (), None),
            (1, b"", 5, (), 1),
        ]
    ):
        site.cache.set(key, damaged)
        with caplog.at_level(logging.WARNING):
            assert site(source) == str(2 * number + 2)
        assert "damaged" in caplog.text
        assert site(source) == str(2 * number + 3)
    assert Fragment.decode(site.cache.get(key)) is not None


class Visitor:
    """Notes what is read, as a request does."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def user(self) -> str:
        sharing.note("user")
        return self._name

    @property
    def cookies(self) -> dict[str, str]:
        sharing.note("cookie:theme")
        return {"theme": self._name}


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ("{{ request.user }}", "request.user"),
        ("{{ request.cookies.theme }}", "request.cookies['theme']"),
        ("{% set u = request.user %}", "request.user"),
        ("{% cache 'inner', vary=request.user %}x{% endcache %}", "request.user"),
        ("{{ look() }}", "request.user"),
    ],
)
def test_a_text_of_one_visitor_is_refused_and_the_line_named(
    site: Site, body: str, read: str
) -> None:
    source = f"a\n{{% cache 'side' 60, vary=other %}}\nb\n{body}{{% endcache %}}"
    with pytest.raises(TemplateError) as caught:
        site(source, request=Visitor("A"), other=1, look=lambda: Visitor("A").user)
    assert caught.value.line == 4
    assert f"'side' is kept for everybody ({{% cache %}}), but it read {read}," in str(caught.value)
    assert "vary=request." in str(caught.value)
    assert not list(site.cache.store._data)  # type: ignore[attr-defined]  # pyright: ignore


def test_what_the_key_is_made_of_may_be_read(site: Site) -> None:
    source = (
        "{% cache 'hello' 60, vary=request.user %}{{ n() }} {{ request.user }}"
        "{% cache ('in', request.user) %} {{ request.user }}{% endcache %}{% endcache %}"
    )
    found = [site(source, request=Visitor(name)) for name in "ABA"]
    assert found == ["1 A A", "2 B B", "1 A A"]
    page = Sharing()
    with share(page):
        site(source, request=Visitor("A"))
        assert page.reads == {"user"}
        with pytest.raises(ZeroDivisionError):
            site("{% cache 'k', vary=1 // 0 %}x{% endcache %}")
        sharing.note("after")
    assert page.reads == {"user", "after"}


def test_tags_go_on_to_the_page(site: Site) -> None:
    page = Sharing()
    with share(page):
        site("{% cache 'a', tags=['b', 'a\u0308'] %}x{% endcache %}")
    assert sorted(page.tags) == ["b", "\xe4"]


def test_a_fragment_goes_through_every_store(tmp_path: Any) -> None:
    site = Site(Cache(backend="file", path=tmp_path))
    source = "{% cache 'k' 60, tags='t' %}<script>1</script>é{{ n() }}{% endcache %}"
    for _ in range(2):
        with holes.use(holes.VisitorSecrets(lambda: "N", lambda: "C")):
            assert site(source) == '<script nonce="N">1</script>é1'


def test_a_build_renders_each_once_and_asks_no_store(tmp_path: Any) -> None:
    site = Site(Cache())
    source = "{% cache 'k' 60, tags='t' %}{{ n() }}{% endcache %}"
    assert site(source) == "1"
    with dependencies.watch(tmp_path):
        assert site(source) == site(source) == "2"
        page = Sharing()
        with share(page):
            site(source)
        assert page.tags == {"t": ""}
    assert site(source) == "1"


class Handler:
    """A handler that looked at its visitor before the template renders."""

    read = {"session", "user"}  # noqa: RUF012

    def __init__(self, **given: object) -> None:
        self._given = given

    def origin(self, value: object) -> str | None:
        found = [name for name, own in self._given.items() if own is value]
        return found[0].replace("__", ":") if found else None


@pytest.fixture
def handler() -> Iterator[Callable[..., None]]:
    before = sharing.reader.get()

    def begin(**given: object) -> None:
        sharing.reader.set(Handler(**given))

    yield begin
    sharing.reader.set(before)


@pytest.mark.parametrize(
    ("source", "given", "read"),
    [
        ("{{ name }}", {"user": "Ada L."}, "request.user"),
        ("{% for part in name %}{{ part }}{% endfor %}", {"user": "Ada L."}, "request.user"),
        ("{{ x ~ name }}", {"session__name": "Ada L."}, "request.session['name']"),
    ],
)
def test_a_value_that_is_the_visitors_is_refused_under_any_name(
    site: Site, handler: Callable[..., None], source: str, given: dict[str, Any], read: str
) -> None:
    (value,) = given.values()
    handler(**given)
    with pytest.raises(TemplateError, match="kept for everybody") as caught:
        site(f"a\n{{% cache 'side' 60 %}}{source}{{% endcache %}}", name=value, x=1)
    assert f"it read {read}," in str(caught.value)
    assert caught.value.line == 2
    for part in ("vary=name", "vary=(1, name)"):
        text = site(f"{{% cache 'side' 60, {part} %}}{source}{{% endcache %}}", name=value, x=1)
        assert text
    assert site("{% cache 's' 60 %}{% set name = 'B' %}{{ name }}{% endcache %}", name=value) == "B"


def test_developers_are_asked_about_values_that_may_be_the_visitors(
    handler: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    templates = Templates(roots=[], fragments=CachedFragments(Cache()), auto_reload=True)
    source = "{% cache 'doubt' 60 %}{{ greeting }}{{ static('a') }}{{ b is defined }}{% endcache %}"
    known = {"greeting": "Hello Ada", "static": str}

    def show(source: str) -> None:
        templates.environment.fragments = CachedFragments(Cache())  # asked on each first render
        templates.render_string(source, known)

    show(source)
    assert not caplog.records, "no handler is known"
    handler()
    show(source)
    show(source)
    (record,) = caplog.records
    assert "shows greeting; the handler had looked at the visitor's session, user" in record.message
    assert "vary=greeting %}" in record.message
    show("{% cache 'doubt' 60, vary=greeting %}{{ greeting }}{% endcache %}")
    show("{% cache 'own' 60 %}{% set a = 1 %}{{ a }}{{ static('b') }}{% endcache %}")
    templates.environment.auto_reload = False
    show("{% cache 'other' 60 %}{{ greeting }}{% endcache %}")
    assert len(caplog.records) == 1
