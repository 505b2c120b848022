"""What a request did, as the panel shows it."""

from __future__ import annotations

from asok.cli.dev.masking import MASK, Masker
from asok.cli.dev.panel.work import Work


def test_the_same_statement_of_the_same_line_is_counted() -> None:
    work = Work(Masker())
    for line in ("page.py:3", "page.py:3", None):
        work.queried("SELECT 1", line, 0.0015)
    told = work.to_dict()
    assert (told["queries"], told["ms"]) == (3, 4.5)
    assert told["statements"] == [
        {"sql": "SELECT 1", "line": "page.py:3", "count": 2, "ms": 3.0},
        {"sql": "SELECT 1", "line": None, "count": 1, "ms": 1.5},
    ]


def test_warnings_are_told_once_a_line() -> None:
    work = Work(Masker())
    work.repeated("page.html:3", "loaded Post.author for 5 rows.")
    work.repeated("page.html:3", "loaded Post.author for 5 rows.")
    assert work.to_dict()["repeated"] == [
        {"line": "page.html:3", "advice": "loaded Post.author for 5 rows."}
    ]


def test_answers_of_the_cache_are_counted_by_key() -> None:
    work = Work(Masker())
    work.counted("errors", 1)
    work.asked("a")
    work.counted("hits", 2)
    work.counted("misses", 1)
    told = work.to_dict()
    assert told["cache"] == {"hits": 2, "misses": 1, "stale": 0, "errors": 1, "computations": 0}
    assert told["keys"] == [{"key": "a", "hits": 2, "misses": 1}]


def test_secrets_are_not_shown() -> None:
    work = Work(Masker(["a-very-secret-value"]))
    work.queried("SELECT 'a-very-secret-value'", None, 0)
    work.asked("user a-very-secret-value")
    work.counted("hits", 1)
    told = work.to_dict()
    assert told["statements"][0]["sql"] == f"SELECT '{MASK}'"
    assert told["keys"][0]["key"] == f"user {MASK}"


def test_a_page_that_asks_without_end_is_shown_in_part() -> None:
    work = Work(Masker())
    for number in range(300):
        work.queried(f"SELECT {number}", None, 0)
        work.asked(str(number))
        work.counted("misses", 1)
    told = work.to_dict()
    assert told["queries"] == told["cache"]["misses"] == 300
    assert len(told["statements"]) == len(told["keys"]) == 200
