"""The modules and files that a script names, found as a browser finds them."""

from __future__ import annotations

import pytest

from asok.assets.modules import quoted, references

Found = list[tuple[str, bool, bool]]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import a, {b as c} from './x.js';", [("./x.js", False, True)]),
        ("import * as a from \"../x.js\"", [("../x.js", False, True)]),
        ("import './x.js'\nexport * from '/static/y.js'; export {z} from './z.js'",
         [("./x.js", False, True), ("/static/y.js", False, True), ("./z.js", False, True)]),
        ("import j from './x.json' with {type: 'json'}", [("./x.json", False, True)]),
        ("import {h} from 'preact'; import 'js/cart.js'",
         [("preact", True, True), ("js/cart.js", True, True)]),
        ("import 'https://x.example/a.js'; import 'data:a,b'",
         [("https://x.example/a.js", False, True), ("data:a,b", False, True)]),
        ("if (1) { await import('./x.js') }", [("./x.js", False, False)]),
        ("const a = `${import('./x.js')}`", [("./x.js", False, False)]),
        ("new URL('x.png', import.meta.url)", [("x.png", False, False)]),
        ("import './\\u0061\\x62\\u{63}\\'.js'", [("./abc'.js", False, True)]),
        ("import './\\u{110000}\\ud800.js'", [("./\ufffd\ufffd.js", False, True)]),
        ("import('./' + name + '.js'); import(`./${name}.js`); import(name)", []),
        ("new URL('x.png', location.href); new Thing('x.png', import.meta.url)", []),
        ("// import './x.js'\n/* import './x.js' */ const s = \"import './x.js'\"", []),
        ("const r = /import '.\\/x.js'/; const t = `import './x.js'`; a.import('./x.js')", []),
        ("export const a = 1; export default class {}", []),
        ("const x = 1", []),
        ("import from nowhere (", []),
        ("", []),
    ],
)  # fmt: skip
def test_finds(source: str, found: Found) -> None:
    assert [(one.value, one.bare, one.at_once) for one in references(source)] == found


def test_places_are_characters_and_lines_count_from_one() -> None:
    source = "const é = '🙂';\nimport './x.js'; import('./ü.js')"
    first, second = references(source)
    assert (source[first.start : first.end], first.line) == ("'./x.js'", 2)
    assert source[second.start : second.end] == "'./ü.js'"


def test_a_specifier_begins_with_a_dot() -> None:
    assert [quoted("x.js"), quoted("../x.js"), quoted("./x.js")] == [
        '"./x.js"', '"../x.js"', '"./x.js"',
    ]  # fmt: skip
