"""Deploys, rollbacks and mixed versions behind a round robin and HTTP caches: nothing fails.

A story is a list of deploys; each replaces the workers one by one, in an order of its own, while
visitors with pages of any age load files. An earlier release deployed again is a rollback.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .browser import Browser
from .fleet import Fleet, Instance, asok_instance, content, tet_instance, write_release

# WebOb and Pyramid's own imports; see tests/tet/conftest.py.
pytestmark = [
    pytest.mark.filterwarnings("ignore:'cgi' is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:pkg_resources is deprecated as an API:"),
    pytest.mark.filterwarnings("ignore:Deprecated call to `pkg_resources:DeprecationWarning"),
]

RELEASES = ("3f2a", "b07c", "9e1d", "0442")
ALWAYS = ("same.txt", "style.css", "deep/app.js")


def files_of(release: str, *, own: bool) -> tuple[str, ...]:
    """Every release may have a file that no other has."""
    return (*ALWAYS, f"only-{release}.js") if own else ALWAYS


def number(release: str) -> str:
    """The number of a release, which a rollback has again."""
    return str(41 + RELEASES.index(release))


class Workshop:
    """Makes the instances of deploys, each once; `own` gives releases files of their own."""

    def __init__(self, folder: Path, own: bool) -> None:
        self.folder = folder
        self.own = own
        self.made: dict[object, Instance] = {}

    def source(self, release: str) -> Path:
        names = files_of(release, own=self.own)
        return write_release(self.folder / f"{release}-{self.own}", names, release)

    def asok(self, deploys: Sequence[str], kind: str = "digest") -> Instance:
        """The build keeps the files of three releases before: those of the build before it."""
        key = ("asok", kind, *deploys)
        if key not in self.made:
            before, out = (
                self.folder / "-".join(("out", kind, str(self.own), *which))
                for which in (deploys[:-1], deploys)
            )
            if deploys[:-1]:
                self.asok(deploys[:-1], kind)
            form = "digest" if kind == "digest" else "prefix"
            tokens = {
                "releases": deploys[-1],
                "counted": str(len(deploys)),
                "numbers": number(deploys[-1]),
            }
            token = tokens.get(kind, "")
            self.made[key] = asok_instance(
                self.source(deploys[-1]),
                deploys[-1],
                before if deploys[:-1] else None,
                out,
                options={"form": form, "release": token},
            )
        return self.made[key]

    def tet(self, deploys: Sequence[str], token: str, ledger: Sequence[str] = ()) -> Instance:
        key = ("tet", deploys[-1], token, *ledger)
        if key not in self.made:
            release = deploys[-1]
            names = files_of(release, own=self.own)
            self.made[key] = tet_instance(self.source(release), release, names, token, ledger)
        return self.made[key]

    def commits(self, deploys: Sequence[str]) -> Instance:
        """The token is the name of the release, also when it is deployed again."""
        return self.tet(deploys, deploys[-1])

    def ledger(self, deploys: Sequence[str]) -> Instance:
        return self.tet(deploys, deploys[-1], deploys)

    def times(self, deploys: Sequence[str]) -> Instance:
        """The default token: the time of the start, also a rollback's."""
        return self.tet(deploys, str(1_700_000_000_000 + 1000 * len(deploys)))

    def numbers(self, deploys: Sequence[str]) -> Instance:
        """Numbers of releases, again in a rollback, with the ledger that this needs."""
        tokens = [number(release) for release in deploys]
        return self.tet(deploys, tokens[-1], tokens)


#: How tokens are chosen, and for which statuses the proxy has to ask the next instance. Numbers
#: need it: that an older instance answers 503 to a later token is documented.
MODES: dict[str, tuple[Callable[[Workshop, Sequence[str]], Instance], tuple[int, ...]]] = {
    "asok": (Workshop.asok, ()),
    "asok, prefix": (partial(Workshop.asok, kind="prefix"), ()),
    "asok, releases": (partial(Workshop.asok, kind="releases"), ()),
    "asok, counted deploys": (partial(Workshop.asok, kind="counted"), (503,)),
    "asok, numbers": (partial(Workshop.asok, kind="numbers"), (503,)),
    "commits": (Workshop.commits, ()),
    "ledger": (Workshop.ledger, ()),
    "times": (Workshop.times, (503,)),
    "numbers": (Workshop.numbers, (503,)),
}


@pytest.fixture(scope="module")
def workshops(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Workshop]:
    return {own: Workshop(tmp_path_factory.mktemp("deploys"), own) for own in (False, True)}


stories = st.lists(st.sampled_from(RELEASES), min_size=2, max_size=5).map(
    lambda deploys: [release for release, _ in itertools.groupby(deploys)]
)


def play(
    make: Callable[[Sequence[str]], Instance],
    story: Sequence[str],
    workers: int,
    again: Sequence[int],
    draw: Callable[[int], int],
    *,
    keeps: bool,
) -> None:
    """Deploy `story` over `workers` workers, and load files of pages of any age all the time.

    `keeps` says that an instance has the files of the releases before it.
    """
    fleet = Fleet([make(story[:1])] * workers, again)
    caches = [Browser(fleet.fetch) for _ in range(3)]
    open_pages = [fleet.page()]
    for step in range(2, len(story) + 1):
        instance = make(story[:step])
        # One by one, in an order of its own; a visitor comes by in between.
        places = list(range(workers))
        while places:
            fleet.workers[places.pop(draw(len(places)))] = instance
            browser = caches[draw(len(caches))]
            browser.now += draw(3) * 1000
            open_pages.append(fleet.page())
            running = {worker.release for worker in fleet.workers}
            # Where tokens are numbers, an older instance refuses the one that its own pages'
            # requests were redirected to: of a file that the next release drops, nothing is left.
            whole = running if keeps or 503 not in again else {instance.release}
            for page in (open_pages[-1], open_pages[draw(len(open_pages))]):
                for name, url in page.urls.items():
                    if name.startswith("only-") and page.release not in whole:
                        continue
                    loaded = browser.load(url)
                    assert loaded.status == 200, (url, running)
                    # A page older than both of two releases that run may be sent from one to
                    # the other, since each redirects to its own token, as documented.
                    most = 1 if any(page is one for one in fleet.workers) else len(running)
                    assert loaded.redirects <= most, (url, running)
                    if len(running) == 1 and page is open_pages[-1]:
                        assert loaded.body == content(name, page.release), "stale"


@pytest.mark.parametrize("mode", MODES)
@given(story=stories, workers=st.sampled_from([1, 2, 3, 5, 16]), seed=st.integers(0, 2**32))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_file_fails_over_any_story(
    workshops: dict[bool, Workshop], mode: str, story: list[str], workers: int, seed: int
) -> None:
    method, again = MODES[mode]
    draw = Random(seed).randrange

    workshop = workshops[False]
    keeps = mode.startswith("asok")
    play(lambda deploys: method(workshop, deploys), story, workers, again, draw, keeps=keeps)
    # A file that one release alone has: the proxy asks the next host where one has no such file.
    workshop = workshops[True]
    both = (*again, 404)
    play(lambda deploys: method(workshop, deploys), story, workers, both, draw, keeps=keeps)


def test_asok_keeps_files_of_three_releases_that_the_current_one_has_no_more(
    workshops: dict[bool, Workshop],
) -> None:
    last = workshops[True].asok(RELEASES)
    for count in range(1, len(RELEASES)):
        for url in workshops[True].asok(RELEASES[:count]).urls.values():
            assert last.answer(url, {}).status == 200


@pytest.mark.parametrize("workers", [2, 4, 8, 16])
def test_workers_that_disagree_are_what_this_is_about(
    workshops: dict[bool, Workshop], workers: int
) -> None:
    """A token for each process, and no proxy that asks again: the model sees what fails."""
    each = [workshops[False].tet(["3f2a"], str(1000 + place)) for place in range(workers)]
    fleet = Fleet(each)
    failed = 0
    for turn in range(workers * workers):
        page = each[turn % workers]
        browser = Browser(fleet.fetch)
        try:
            failed += browser.load(page.urls["style.css"]).status != 200
        except AssertionError:
            failed += 1
        if turn % workers == workers - 1:
            fleet.page()
    assert failed > 0
