"""`live(Counter)`: drive a component without a browser and without a socket."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from asok.app import Asok
from asok.errors import DriveError
from asok.live import Component, Limits
from asok.testing.client import Client
from asok.testing.page import LivePage
from asok.testing.stage import BareStage, SiteStage, Stage, rendering, stage_of
from asok.testing.view import View

__all__ = ["live"]

#: What belongs to `component(…)` and is no value of the component.
_OPTIONS = ("client", "cid", "key", "slot", "lazy")


def live(
    what: type[Component] | str,
    /,
    *,
    app: Asok | None = None,
    page: str = "/",
    session: Mapping[str, Any] | None = None,
    user: Any = None,
    frozen: bool = False,
    components: Sequence[type[Component]] = (),
    templates: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    props: Mapping[str, Any] | None = None,
    **values: Any,
) -> LivePage:
    """Open a component as `{{ component("Counter", start=3) }}` shows it, and return its page.

    A class of `src/components` lives in its site: `app` from wsgi.py, unless it is given. Any
    other class lives alone: with the templates beside its file or in `templates` (text by name),
    with the classes of its module and `components`, and within `limits`. Instead of a class,
    the path of a page with a site's `app` opens that page with all its components.

    `page` is the path whose guards are asked; `session` what the visitor's session holds, and
    `user` its `user_id`; with `frozen` the page is one for everybody. `values` go to the
    component; so do `props`, for names that are taken here. Raises what the component raises.
    """
    if isinstance(what, str):
        if values or props or components or templates:
            raise DriveError(f"the page {what} gives its components their values itself.")
        return _visit(what, app, _contents(session, user))
    stage = stage_of(what, app)
    if stage is None:
        stage = BareStage(what, components=components, templates=templates, limits=limits)
    elif components or templates or limits:
        raise DriveError(
            f"{what.__name__} lives in its site, which has its own components, templates and "
            "limits.",
            fix="Leave them away, or drive a class that is defined in the test.",
        )
    options = {name: values.pop(name) for name in _OPTIONS if name in values}
    given = {**values, **(props or {})}

    def show(session_id: str) -> str:
        with rendering(stage, page, session_id, frozen=frozen):
            return stage.live.component(what.__name__, **options, **given)

    return _open(stage, show, _contents(session, user))


def _contents(session: Mapping[str, Any] | None, user: Any) -> dict[str, Any]:
    # As request.session.login(user_id=…) leaves it.
    return {**(session or {}), **({} if user is None else {"user_id": user})}


def _open(stage: Stage, show: Callable[[str], str], contents: Mapping[str, Any]) -> LivePage:
    def anew(session_id: str | None) -> View:
        if session_id is None:
            session_id = stage.visitor()
            if contents:
                session = stage.session(session_id)
                session.update(contents)
                session.save()
        return View(stage, session_id, show(session_id))

    return LivePage(anew(None), anew)


def _visit(path: str, app: Asok | None, contents: Mapping[str, Any]) -> LivePage:
    """Open a page of a site, by asking the site for it."""
    if app is None or not path.startswith("/"):
        raise DriveError(
            f"got live({path!r}), expected a component class, or the path of a page and its app.",
            fix='Write live(Counter), or live("/shop", app=app).',
        )
    stage = SiteStage(app)

    def show(session_id: str) -> str:
        with Client(app, session_id=session_id) as client:
            answer = client.get(path)
        if answer.status_code != 200:
            raise DriveError(f"{path} answered {answer.status_code}: {_first_line(answer.text)}")
        return answer.text

    return _open(stage, show, contents)


def _first_line(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)).strip()[:200]
