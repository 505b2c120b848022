"""The morph makes the DOM that the HTML says, and keeps every node that can stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .server import LiveServer, until, wrapper

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent


@pytest.fixture
def morph(page: Page, server: LiveServer) -> Page:
    """A page whose socket is a fake inside the page: `show(html)` is a frame from the server."""
    page.add_init_script(path=HERE / "fake_socket.js")
    page.goto(server.page(wrapper("<p>start</p>") + wrapper("<p>other</p>", cid="2")))
    until(page, "window.sent?.length == 2")
    return page


def shown(page: Page, *htmls: str) -> str:
    """Show each HTML in turn and return what the component holds then."""
    result: str = page.evaluate(
        "htmls => { for (const html of htmls) show(html); return root.innerHTML }", list(htmls)
    )
    return result


@pytest.mark.parametrize("seed", [1, 2, 3, pytest.param(100, marks=pytest.mark.soak)])
def test_random_trees_become_what_inner_html_makes_of_them(morph: Page, seed: int) -> None:
    morph.evaluate((HERE / "fuzz.js").read_text())
    for more in range(30 if seed == 100 else 2):
        failure: Any = morph.evaluate(f"fuzz({seed + 1000 * more}, 1000)")
        assert failure is None


@pytest.mark.parametrize("rounds", [60, pytest.param(2000, marks=pytest.mark.soak)])
def test_rows_in_any_order_keep_what_a_visitor_does_in_them(morph: Page, rounds: int) -> None:
    morph.evaluate((HERE / "fuzz_rows.js").read_text())
    assert morph.evaluate("'moveBefore' in Element.prototype")
    failure: Any = morph.evaluate(f"fuzzRows(7919, {rounds})")
    assert failure is None
    morph.evaluate("delete Element.prototype.moveBefore")
    failure = morph.evaluate(f"fuzzRows(104729, {rounds // 4})")
    assert failure is None


def test_keyed_nodes_keep_their_identity_in_any_order(morph: Page) -> None:
    lost: list[str] = morph.evaluate(
        """() => {
          const html = keys => `<ul>${keys.map(k => `<li key="${k}">row ${k}</li>`).join("")}</ul>`;
          const rows = () => Object.fromEntries(
            [...root.querySelectorAll("li")].map(li => [li.getAttribute("key"), li]));
          const lost = [];
          show(html(["a", "b", "c", "d", "e"]));
          for (const order of ["edcba", "bcde", "xabcde", "cxa", "acx", "a", "za", "az"]) {
            const before = rows();
            show(html([...order]));
            const after = rows();
            for (const key in after)
              if (before[key] && before[key] != after[key]) lost.push(order + key);
          }
          return lost;
        }"""
    )
    assert lost == []


def test_an_id_is_a_key_also_on_a_form_with_a_field_of_that_name(morph: Page) -> None:
    form = '<form id="one"><input name="id" value="7"><input name="value"><b>{}</b></form>'
    assert (
        morph.evaluate(
            """([first, second]) => {
          show(first);
          const field = root.querySelector("input");
          show(second);
          return field == root.querySelector("input") && root.querySelector("b").textContent;
        }""",
            [form.format("x"), "<p>new</p>" + form.format("y")],
        )
        == "y"
    )


def test_fields_may_have_common_names(morph: Page) -> None:
    """A form's fields hide its properties: none of the runtime's own may be among them."""
    names = "abcdefghijklmnopqrstuvwxyz"
    common = ["open", "data", "id", "name", "value", "type", "title", "key", "action", "method"]
    fields = "".join(f'<input name="{name}">' for name in [*names, *common])
    form = f'<form title="{{0}}">{fields}<b>{{0}}</b></form>'
    assert "<b>2</b>" in shown(morph, form.format(1), form.format(2))
    assert morph.evaluate("root.querySelector('form').getAttribute('title')") == "2"


def test_a_field_never_turns_into_another_field(morph: Page) -> None:
    shown(morph, '<input name="a">')
    morph.locator("input").fill("meant for a")
    shown(morph, '<input name="b">')
    assert morph.locator("input").input_value() == ""


def test_a_password_can_be_shown(morph: Page) -> None:
    shown(morph, '<input type="password" name="a">')
    morph.locator("input").fill("secret")
    shown(morph, '<input type="text" name="a">')
    assert morph.locator("input").input_value() == "secret"


def test_weird_attribute_names_are_no_obstacle(morph: Page) -> None:
    html = '<p :class="x" ws-click.prevent="y" data-a.b="1">text</p>'
    assert shown(morph, "<p>text</p>", html) == html


def test_table_rows_and_options_are_parsed_where_they_stand(morph: Page) -> None:
    html = "<table><tbody>{}</tbody></table>"
    rows = [html.format("".join(f"<tr><td>{n}</td></tr>" for n in range(k))) for k in (2, 5, 1)]
    assert shown(morph, *rows) == rows[-1]


def test_scripts_in_a_reply_never_run(morph: Page, console_errors: list[str]) -> None:
    shown(morph, '<script>window.ran = 1</script><script src="/x.js"></script>')
    assert morph.evaluate("window.ran") is None
    assert console_errors == []


@pytest.mark.parametrize(
    ("act", "html"),
    [
        ("root.querySelector('details').open = true", "<details><summary>{}</summary>x</details>"),
        ("root.querySelector('dialog').show()", "<dialog>{}</dialog>"),
        ("root.querySelector('dialog').showModal()", "<dialog>{}</dialog>"),
    ],
)
def test_what_the_visitor_opened_stays_open(morph: Page, act: str, html: str) -> None:
    shown(morph, html.format("1"))
    morph.evaluate(act)
    assert "open" in shown(morph, html.format("2"), html.format("3"))


def test_what_the_visitor_closed_stays_closed(morph: Page) -> None:
    html = "<section><details open>{}</details></section>"
    shown(morph, html.format("1"))
    morph.evaluate("root.querySelector('details').open = false")
    assert "open" not in shown(morph, html.format("2"), html.format("3"))


def test_the_server_opens_and_closes(morph: Page) -> None:
    html = "<section><dialog{}>x</dialog></section>"
    assert "open" in shown(morph, html.format(""), html.format(" open"))
    assert "open" not in shown(morph, html.format(""))
    assert "open" in shown(morph, html.format(" open"))
    assert "open" not in shown(morph, html.format(""))


def test_the_page_itself_may_show_something_open(page: Page, server: LiveServer) -> None:
    page.add_init_script(path=HERE / "fake_socket.js")
    html = "<details open>{}</details><dialog open>{}</dialog>"
    page.goto(server.page(wrapper(html.format(1, 1))))
    until(page, "window.sent?.length == 1")
    page.evaluate("root.querySelector('details').open = false")
    assert shown(page, html.format(2, 2).replace("dialog open", "dialog")) == (
        "<details>2</details><dialog>2</dialog>"
    )


def test_nonce_and_csrf_values_are_left_alone(morph: Page) -> None:
    html = '<i nonce="{0}">x</i><form><input type="hidden" name="csrf_token" value="{0}"></form>'
    shown(morph, html.format("first"), html.format("second"))
    values = "[root.querySelector('i').nonce, root.querySelector('input').value]"
    assert morph.evaluate(values) == ["first", "first"]


def test_a_new_csrf_value_reaches_every_form_of_the_page(morph: Page) -> None:
    field = '<input type="hidden" name="csrf_token" value="old">'
    shown(morph, f"<form>{field}</form><form>{field}</form>")
    morph.evaluate("html => document.body.insertAdjacentHTML('beforeend', html)", field)
    morph.evaluate("push(['t', 'new'])")
    # The frame is a rare one: its script is loaded first.
    for found in morph.locator("[name=csrf_token]").all():
        expect(found).to_have_value("new")
    assert morph.locator("[name=csrf_token]").count() == 3


def test_scroll_stays(morph: Page) -> None:
    html = '<div class="box">{}' + "<p>line</p>" * 100 + "</div>"
    morph.evaluate("() => document.body.insertAdjacentHTML('beforeend', '<p>x</p>'.repeat(500))")
    shown(morph, html.format("1"))
    morph.evaluate("scrollTo(0, 700)")
    shown(morph, html.format("<b>2</b>"))
    assert morph.evaluate("scrollY") == 700


def test_a_moved_row_keeps_the_focus_and_the_selection(morph: Page) -> None:
    row = '<li key="{0}"><input name="{0}" value="text {0}"></li>'
    first, second = ("".join(row.format(key) for key in keys) for keys in ("abc", "cab"))
    shown(morph, f"<ul>{first}</ul>")
    script = "f => { const field = root.querySelector(`[name=${f}]`); field.focus(); %s }"
    morph.evaluate(script % "field.setSelectionRange(1, 3)", "c")
    shown(morph, f"<ul>{second}</ul>")
    state = "(f => [f.name, f.selectionStart, f.selectionEnd])(document.activeElement)"
    assert morph.evaluate(state) == ["c", 1, 3]


def test_without_move_before_the_focus_comes_back(morph: Page) -> None:
    morph.evaluate("delete Element.prototype.moveBefore")
    test_a_moved_row_keeps_the_focus_and_the_selection(morph)


def test_a_component_inside_owns_its_content(morph: Page) -> None:
    inner = '<div id="asok-9" data-asok-state="t9"{}><i>{}</i></div>'
    shown(morph, "<p>1</p>" + inner.format("", "a"))
    until(morph, "sent.at(-1)[0] == 'j' && sent.at(-1)[2] == 't9'")
    morph.evaluate("push(['h', sent.at(-1)[1], 1, '<i>its own</i>', 0])")
    got = shown(morph, "<p>2</p><p>3</p>" + inner.format("", "b"))
    assert got.startswith("<p>2</p><p>3</p>")
    assert "<i>its own</i>" in got


def test_a_component_inside_that_is_not_alive_is_plain_html(morph: Page) -> None:
    inner = '<div id="asok-9" data-asok-state="t9" data-asok-client="visible"{}>{}</div>'
    spacer = '<div class="tall">' + "<br>" * 500 + "</div>"
    got = shown(morph, spacer + inner.format("", "a"), spacer + inner.format(' title="x"', "b"))
    assert got.endswith('title="x">b</div>')
    assert morph.evaluate("sent.length") == 2


def test_a_component_that_went_says_so(morph: Page) -> None:
    shown(morph, '<div id="asok-9" data-asok-state="t9">x</div>')
    number = morph.evaluate("sent.at(-1)[1]")
    shown(morph, "<p>gone</p>")
    assert morph.evaluate("sent.at(-1)") == ["l", number]
    shown(morph, "<p>still gone</p>")
    assert morph.evaluate("sent.filter(frame => frame[0] == 'l').length") == 1
