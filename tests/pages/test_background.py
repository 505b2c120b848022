"""Background threads: few, bounded, fair."""

from __future__ import annotations

import threading

import pytest

from asok.pages.background import Background


def test_listed_pages_go_first_and_unlisted_are_bounded() -> None:
    background, go, ran = Background(1), threading.Event(), list[str]()
    started = threading.Event()

    def block() -> None:
        started.set()
        go.wait(20)

    assert background.submit("/first", block, listed=False)
    assert started.wait(20)
    taken = [
        background.submit(f"/made/{n}", lambda n=n: ran.append(f"made {n}"), listed=False)
        for n in range(300)
    ]
    assert taken == [True] * 256 + [False] * 44
    assert background.submit("/listed", lambda: ran.append("listed"), listed=True)
    assert not background.submit("/listed", lambda: ran.append("again"), listed=True)
    assert not background.drain(0.01)
    go.set()
    assert background.drain(20)
    assert ran[:2] == ["listed", "made 0"]
    assert len(ran) == 257


def test_a_job_that_fails_does_not_end_the_thread(caplog: pytest.LogCaptureFixture) -> None:
    background, ran = Background(1), list[int]()
    background.submit("/a", lambda: 1 // 0, listed=True)  # type: ignore[arg-type,return-value]
    background.submit("/b", lambda: ran.append(1), listed=True)
    assert background.drain(20)
    assert ran == [1]
    assert "regenerating /a failed" in caplog.text


def test_threads_end_when_idle_and_start_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asok.pages.background._IDLE_SECONDS", 0.01)
    background, used = Background(2), list[threading.Thread]()
    for _ in range(3):
        background.submit("/a", lambda: used.append(threading.current_thread()), listed=True)
        assert background.drain(20)
        used[-1].join(20)
    assert len(set(used)) == 3
