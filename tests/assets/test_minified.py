"""Minified source means what the source means."""

from __future__ import annotations

from pathlib import Path

import pytest

from asok.assets.minified import minified


@pytest.mark.parametrize(
    ("name", "source", "kept"),
    [
        ("a.css", "a { width: calc(100% + 2px) }", "calc(100% + 2px)"),
        ("a.css", "a { width: calc(1px + (2px - -3px)) }", "calc(1px + (2px - -3px))"),
        ("a.css", "nav :hover { color: red }", "nav :hover{"),
        ("a.css", "nav:hover { color: red }", "nav:hover{"),
        ("a.css", "a::after { content: 'x // y' }", "'x // y'"),
        ("a.css", "a::after { content: '/* x */' }", "'/* x */'"),
        ("a.css", "/*! licence */ a { color: red }", "/*!"),
        ("a.css", "a { --empty: ; --x:  { a } }", "--x:"),
        ("a.js", "const s = 'x // y'; use(s)", '"x // y"'),
        ("a.js", "const t = `a  //  b`; use(t)", "`a  //  b`"),
        ("a.js", "const r = /a\\/\\/b/g; use(r)", "/a\\/\\/b/g"),
        ("a.js", "x = a + + b", "a+ +b"),
        ("a.mjs", "import x from './y.js'; use(x)", '"./y.js"'),
        (
            "a.svg",
            "<svg><style>nav :hover{width:calc(100% + 2px)}</style></svg>",
            "calc(100% + 2px)",
        ),
        ("a.svg", "<svg><text>x // y  <tspan> z</tspan></text></svg>", "x // y  <tspan> z"),
        ("a.min.css", "a { color: red }", "a { color: red }"),
        ("a.txt", "a  b", "a  b"),
        ("a.css", "", ""),
    ],
)
def test_what_other_minifiers_break_survives(name: str, source: str, kept: str) -> None:
    assert kept in minified(name, source, file=Path(name))
