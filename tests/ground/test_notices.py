"""Notices reach every process of a machine, and none is lost when the file is changed."""

from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.services import wait_until

from asok.notices import MISSED, FileNotices, LocalNotices


def publish(path: Path, first: int, count: int, limit: int) -> None:
    notices = FileNotices(path, limit=limit)
    for number in range(first, first + count):
        notices.publish("count", {"n": number})


def in_processes(path: Path, *, processes: int, count: int, limit: int) -> None:
    context = multiprocessing.get_context("spawn")
    started = [
        context.Process(target=publish, args=(path, index * count, count, limit))
        for index in range(processes)
    ]
    for process in started:
        process.start()
    for process in started:
        process.join()
        assert process.exitcode == 0


def test_a_process_hears_itself_at_once(tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []
    notices = FileNotices(tmp_path / "notices")
    notices.subscribe("t", heard.append)
    notices.publish("t", {"a": 1})
    notices.publish("other", {"a": 2})
    assert heard == [{"a": 1}]


def test_what_others_publish_is_delivered_once_and_in_whole(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "notices"
    heard: list[int] = []
    notices = FileNotices(path)
    notices.subscribe("count", lambda message: heard.append(message["n"]))
    notices.poll()
    in_processes(path, processes=2, count=50, limit=1 << 20)
    notices.poll()
    notices.poll()
    assert sorted(heard) == list(range(100))
    notices.stop()


def test_a_reader_finishes_the_old_file_before_the_new(tmp_path: Path) -> None:
    path = tmp_path / "notices"
    heard: list[int] = []
    notices = FileNotices(path, interval=0.001, limit=300)
    notices.publish("other", {})
    notices.subscribe("count", lambda message: heard.append(message["n"]))
    notices.start()
    notices.start()
    in_processes(path, processes=2, count=100, limit=100_000)
    notices.stop()
    notices.poll()
    assert sorted(set(heard)) == list(range(200))
    notices.stop()


def test_a_new_file_is_begun_beyond_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "notices"
    notices = FileNotices(path, limit=100)
    for _ in range(50):
        notices.publish("t", {"filler": "x" * 20})
    assert not path.exists() or path.stat().st_size < 400


def test_a_broken_line_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "notices"
    path.write_text('[1, "t", {"a": 1}]\nnonsense\n[1, "t", {"a": 2}]\n[1, "t"')
    heard: list[dict[str, Any]] = []
    notices = FileNotices(path)
    notices.subscribe("t", heard.append)
    with caplog.at_level(logging.WARNING):
        notices.poll()
    assert heard == [{"a": 1}, {"a": 2}]
    assert "not whole" in caplog.text
    notices.stop()


def test_a_failing_subscriber_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[dict[str, Any]] = []

    def fail(_: dict[str, Any]) -> None:
        raise ValueError("no")

    notices = LocalNotices()
    notices.subscribe("t", fail)
    end = notices.subscribe("t", heard.append)
    notices.start()
    notices.publish("t", {"a": 1})
    end()
    end()
    notices.publish("t", {"a": 2})
    notices.stop()
    assert heard == [{"a": 1}]
    assert "a subscriber of 't' failed" in caplog.text


def test_what_a_full_disk_cut_swallows_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "notices"
    reader = FileNotices(path)
    seen: list[dict[str, Any]] = []
    missed: list[dict[str, Any]] = []
    reader.subscribe("t", seen.append)
    reader.subscribe(MISSED, missed.append)
    path.write_bytes(b"5\n[1]\n" + b'[1,"t",{"a":')
    writer = multiprocessing.get_context("fork").Process(
        target=FileNotices(path).publish, args=("t", {"n": 1})
    )
    writer.start()
    writer.join()
    reader.poll()
    assert seen == [{"n": 1}]
    assert caplog.text.count("not whole") == 3
    assert len(missed) == 3, "they may have been anything"
    reader.stop()


@pytest.mark.parametrize("room", [0, 7])
def test_what_a_full_disk_refused_is_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    path = tmp_path / "notices"
    # Containers that share a folder: every one of them may have the same process number.
    here, there = FileNotices(path, interval=0.01), FileNotices(path)
    missed: list[dict[str, Any]] = []
    there.subscribe(MISSED, missed.append)
    write = os.write

    def refuse(handle: int, data: bytes) -> int:
        if not room:
            raise OSError(errno.ENOSPC, "full")
        return write(handle, data[:room])

    here.start()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refuse)
        with pytest.raises(OSError, match=r"full|part"):
            here.publish("t", {})
    wait_until(lambda: bool(there.poll() or missed), what="hearing that something is missing")
    here.stop()
    there.stop()


def test_a_reader_that_is_started_hears_only_what_comes(tmp_path: Path) -> None:
    path = tmp_path / "notices"
    path.write_bytes(b'[1,"t",{"n":1}]\n')
    reader = FileNotices(path, interval=0.01)
    seen: list[dict[str, Any]] = []
    arrived = threading.Event()

    def take(message: dict[str, Any]) -> None:
        seen.append(message)
        arrived.set()

    end = reader.subscribe("t", take)
    reader.start()
    reader.start()
    with path.open("ab") as file:
        file.write(b'[1,"t",{"n":2}]\n')
    assert arrived.wait(10)
    end()
    end()
    reader.stop()
    reader.stop()
    assert seen == [{"n": 2}]


def test_a_file_that_can_not_be_read_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reader = FileNotices(tmp_path / "notices", interval=0.01)
    again = threading.Event()
    tries: list[int] = []

    def fail() -> None:
        tries.append(1)
        if len(tries) > 1:
            again.set()
        raise OSError("no disk")

    monkeypatch.setattr(reader, "poll", fail)
    reader.start()
    assert again.wait(10)
    reader.stop()
    assert "can't be read" in caplog.text


def test_one_process_needs_no_file() -> None:
    local = LocalNotices()
    seen: list[dict[str, Any]] = []
    local.start()
    local.subscribe("t", seen.append)
    local.publish("t", {"n": 1})
    local.stop()
    assert seen == [{"n": 1}]


def test_who_catches_up_hears_what_the_reader_has_not_read_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "notices"
    heard: list[int] = []
    notices = FileNotices(path, interval=3600)

    def hear(message: dict[str, Any]) -> None:
        heard.append(message["n"])
        notices.catch_up()  # as whoever renders what a notice is about

    notices.subscribe("count", hear)
    in_processes(path, processes=1, count=2, limit=1 << 20)
    notices.catch_up()
    assert heard == [], "it was not started"
    notices.start()
    in_processes(path, processes=1, count=3, limit=1 << 20)
    notices.catch_up()
    notices.catch_up()
    assert heard == [0, 1, 2]

    def fail() -> None:
        raise OSError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(notices, "poll", fail)
        notices.catch_up()
    assert "can't be read" in caplog.text
    notices.stop()
    LocalNotices().catch_up()
