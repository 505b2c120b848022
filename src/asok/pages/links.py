"""Which links of a site's finished pages lead nowhere.

Every page adds the texts that may be links; each different one is asked about once. Only a
page with a text that leads nowhere is parsed, to tell a link from a line of a script.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from asok.pages.outline import Link, Outline
from asok.pages.reference import Reference, refer

__all__ = ["Answer", "BrokenLink", "LinkCheck", "Redirected", "nearest"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a site says to a path: `problem` where nothing answers, `redirect` where to go on.

    `page` is the path of the built page that answers, for its fragments.
    """

    problem: str = ""
    fix: str = ""
    redirect: str = ""
    page: str = ""
    #: Whether it stays the same while the site's routes, pages and assets do.
    lasting: bool = True


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """A link that leads nowhere, and one of the pages (by path) that it stands on."""

    page: str
    link: Link
    problem: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Redirected:
    """A link that works by a redirect; `target` is where it leads."""

    page: str
    link: Link
    target: str


#: Asked once for each path: (decoded path below the mount, method).
Ask = Callable[[str, str], Answer]


class LinkCheck:
    """Collects the pages of a site, then says which of their links lead nowhere.

    `ask` knows the site; `mount` and `origin` are those of its base URL.
    """

    def __init__(self, ask: Ask, *, mount: str = "", origin: str = "") -> None:
        self._ask = ask
        self._mount = mount
        self._origin = origin
        self._answers: dict[tuple[str, str], Answer] = {}
        # Texts that are fine on every page.
        self._fine: set[str] = set()
        # Of those the ones that have to be asked about by the next build.
        self._passing: set[str] = set()
        self._doubtful: defaultdict[str, set[str]] = defaultdict(set)
        self._places: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        self._names: dict[str, set[str]] = {}
        self.checked = 0
        self.redirected: list[Redirected] = []

    def add(self, page: str, values: Iterable[str]) -> bool:
        """Take in the texts that may be links on the built page at `page`.

        Returns whether all are fine while the site answers to the same paths, whatever the
        pages there hold.
        """
        values = frozenset(values)
        self.checked += len(values)
        settled = True
        for value in values - self._fine:
            place = self._refer(page, value)
            if place is None:
                self._fine.add(value)
                continue
            answer = self._answer(place, "GET")
            if answer.problem or answer.redirect:
                self._doubtful[page].add(value)
                settled = False
            elif place.fragment and answer.page:
                self._places[answer.page, place.fragment].append((page, value))
                settled = False
            else:
                if not answer.lasting:
                    self._passing.add(value)
                if not place.here:
                    self._fine.add(value)
        return settled and self._passing.isdisjoint(values)

    def finish(self, body: Callable[[str], bytes]) -> list[BrokenLink]:
        """Return the broken links, by page; `body` gives the bytes of a built page."""
        for (target, fragment), users in self._places.items():
            if not self._has(target, fragment, body):
                for page, value in users:
                    self._doubtful[page].add(value)
        broken: list[BrokenLink] = []
        for page in sorted(self._doubtful):
            for link in dict.fromkeys(Outline(body(page)).links()):
                if link.value in self._doubtful[page]:
                    self._judge(page, link, broken)
        return broken

    def redirects_to(self, page: str, target: str) -> BrokenLink | None:
        """Judge the target of a built page that is a redirect, and where that leads."""
        link, at, further, seen = Link("redirect", "location", target), page, target, {page}
        while further:
            place = self._refer(at, further)
            if place is None:
                return None
            answer = self._answer(place, "GET")
            if answer.problem:
                return BrokenLink(page, link, answer.problem, answer.fix)
            if answer.redirect and place.path in seen:
                return BrokenLink(page, link, "redirects in a circle")
            at, further = place.path, answer.redirect
            seen.add(at)
        return None

    def _refer(self, page: str, value: str) -> Reference | None:
        return refer(value, page, mount=self._mount, origin=self._origin)

    def _answer(self, place: Reference, method: str) -> Answer:
        if not place.inside:
            return Answer(
                f"leads out of the site, which lives under {self._mount}",
                f"Write {self._mount}{place.path}, as {{{{ url(…) }}}} does; or the whole URL, "
                "where that is meant.",
            )
        key = place.path, method
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = self._ask(*key)
        return answer

    def _judge(self, page: str, link: Link, broken: list[BrokenLink]) -> None:
        place = self._refer(page, link.value)
        if place is None or (link.method == "DIALOG"):
            return
        answer = self._answer(place, link.method)
        if answer.problem:
            broken.append(BrokenLink(page, link, answer.problem, answer.fix))
        elif answer.redirect:
            self.redirected.append(Redirected(page, link, answer.redirect))
        elif place.fragment and answer.page:
            names = self._names.get(answer.page)
            if names is not None and place.fragment not in names:
                near = nearest(place.fragment, sorted(names))
                fix = f"Did you mean #{near}?" if near else ""
                where = "this page" if answer.page == page else answer.page
                broken.append(
                    BrokenLink(page, link, f'nothing on {where} has id="{place.fragment}"', fix)
                )

    def _has(self, page: str, fragment: str, body: Callable[[str], bytes]) -> bool:
        """Whether a built page has an element that `fragment` names."""
        names = self._names.get(page)
        if names is None:
            data = body(page)
            if f'id="{fragment}"'.encode() in data:
                return True
            names = self._names[page] = Outline(data).names
        return fragment in names


_MOST: Final = 4000


def nearest(text: str, known: Sequence[str]) -> str:
    """Return the one of `known` that `text` is most likely a misspelling of, or nothing."""
    if len(known) > _MOST:  # comparing costs 0.1 ms each
        begin = text.rpartition("/")[0]
        known = [one for one in known if one.rpartition("/")[0] == begin][:_MOST]
    near = difflib.get_close_matches(text, known, 1, 0.6)
    last = text.rpartition("/")[2]
    same = [one for one in known if last and one.rpartition("/")[2] == last]
    return (near or same or [""])[0]
