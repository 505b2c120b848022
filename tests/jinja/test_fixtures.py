"""Every fixture template gets exactly the additions that are marked in it, or its error."""

from __future__ import annotations

import pytest

from asok import holes
from asok.errors import TemplateSourceError
from asok.jinja import Templates, additions
from asok.jinja.environment import SiteEnvironment
from asok.jinja.loader import Folders

from .conftest import CASES, CONTEXT, SHARED, Case

GOOD = [case for case in CASES if case.error is None]
BAD = [case for case in CASES if case.error is not None]


def environment() -> SiteEnvironment:
    return SiteEnvironment(
        Folders([SHARED], fixed=False), bytecode=None, auto_reload=True, fragments=None
    )


def test_there_are_enough_fixtures() -> None:
    assert len(CASES) >= 300


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_a_template_gets_what_is_marked_in_it(case: Case) -> None:
    added = environment().add_to(case.source, "case.html", None)
    shown = added.replace(f"{{%{additions.NONCE}%}}", "«nonce»")
    assert shown.replace(f"{{%{additions.CSRF}%}}", "«csrf»") == case.marked


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_a_template_that_can_not_be_known_names_the_line_and_the_fix(case: Case) -> None:
    with pytest.raises(TemplateSourceError) as caught:
        environment().add_to(case.source, "case.html", "/site/case.html")
    assert case.error is not None
    line, part = case.error
    assert part in caught.value.message
    assert caught.value.line == line
    assert str(caught.value.file) == "/site/case.html"
    assert caught.value.fix


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_a_template_renders_with_its_additions(
    case: Case, templates: Templates, visitor: holes.VisitorSecrets
) -> None:
    with holes.use(visitor):
        text = templates.render_string(case.source, CONTEXT)
    for mark, value in (("«nonce»", "NoNcE"), ("«csrf»", "CsRf")):
        if mark in case.marked and not case.name.startswith(("branch", "loop", "form-branch")):
            assert value in text
