"""Whatever a client calls its file, it names one file in one folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asok.asgi.file_names import safe_name


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("photo.png", "photo.png"),
        ("Żółw und Äffchen.jpg", "Żółw und Äffchen.jpg"),
        ("e\u0301te\u0301.txt", "été.txt"),
        # NiceGUI CVE-2026-39844, and its relatives.
        ("..\\..\\x", "x"),
        ("../../x", "x"),
        ("..\\../x/..\\y.png", "y.png"),
        ("/etc/passwd", "passwd"),
        ("C:\\Users\\ada\\a.png", "a.png"),
        ("\\\\server\\share\\a.png", "a.png"),
        ("..", ""),
        (".", ""),
        ("", ""),
        ("a/", ""),
        ("a\0.png", "a.png"),
        ("a\r\nSet-Cookie: x.png", "aSet-Cookie_ x.png"),
        ("\x1b[31ma.png", "[31ma.png"),
        ("exe.\u202egnp.bat", "exe.gnp.bat"),
        ("a\ud800b.png", "ab.png"),
        ("a.txt:stream", "a.txt_stream"),
        ('a*?<>|".png', "a______.png"),
        ("nul", "_nul"),
        ("CON.txt", "_CON.txt"),
        ("console.txt", "console.txt"),
        (".htaccess", "htaccess"),
        ("...a", "a"),
        ("a.png. . ", "a.png"),
        ("x" * 300 + ".png", "x" * 196 + ".png"),
        ("é" * 300 + ".png", "é" * 98 + ".png"),
        ("x." + "y" * 300, "x." + "y" * 198),
    ],
)
def test_what_is_left_of_a_name(sent: str, name: str) -> None:
    assert safe_name(sent) == name


@given(st.text(alphabet=st.characters(codec=None), max_size=400))
def test_a_name_stays_within_its_folder(sent: str) -> None:
    name = safe_name(sent)
    assert len(name.encode()) <= 200
    assert not name or (Path("/folder") / name).resolve().parent == Path("/folder")
    assert not set(name) & {"/", "\\", "\0", "\r", "\n", "\u2028", "\u202e"}
    assert safe_name(name) == name
