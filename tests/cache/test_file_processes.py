"""The file store among several processes: whole values, exact counts, and who is killed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from asok.cache import Cache
from asok.cache.file import FileStore
from asok.testing.stores.asking import value_of

from ..services import program
from .disk import files
from .places import FilePlace
from .workers import run, start


@pytest.fixture
def store(file_place: FilePlace) -> FileStore:
    return file_place.open()


PROLOGUE = """
import sys
from asok.cache.file import FileStore
store = FileStore(sys.argv[1])
number = int(sys.argv[2])
print("ready", flush=True)
input()
"""


def test_eight_processes_read_only_whole_values(store: FileStore) -> None:
    """Values that say how long they are, short ones in place and long ones by a rename."""
    seen = run(
        8,
        PROLOGUE
        + """
torn = misses = 0
for turn in range(150):
    length = (turn * 37 + number * 1000) % 9000
    store.set(f"key{turn % 3}", [length, chr(97 + number) * length], ttl=60)
    entry = store.get(f"key{(turn + 1) % 3}")
    if entry is None:
        misses += 1
    elif len(entry.value[1]) != entry.value[0] or len(set(entry.value[1])) > 1:
        torn += 1
print(torn, misses > 100)
""",
        store.folder,
    )
    assert seen == ["0 False"] * 8
    assert not [path for path in files(store) if path.name.startswith(".tmp-")]


def test_processes_add_once_and_count_exactly(store: FileStore) -> None:
    won = run(
        4,
        PROLOGUE
        + """
won = sum(store.add(f"add{turn}", number, ttl=60) for turn in range(50))
for _ in range(100):
    store.incr("count", 1, ttl=60)
print(won)
""",
        store.folder,
    )
    assert sum(map(int, won)) == 50
    assert value_of(store, "count") == 400


def test_a_miss_over_four_processes_is_one_computation(store: FileStore, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    run(
        4,
        """
        import sys, threading, time
        from asok.cache import Cache
        cache = Cache(backend="file", path=sys.argv[1])
        def compute():
            with open(sys.argv[2], "a") as file:
                file.write("x")
            time.sleep(0.1)
            return {"a": 1}
        print("ready", flush=True)
        input()
        def ask():
            assert cache.remember("key", 60, compute) == {"a": 1}
        threads = [threading.Thread(target=ask) for _ in range(50)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        """,
        store.folder,
        str(calls),
    )
    assert calls.read_text() == "x"


def test_a_killed_leader_is_replaced_at_once(store: FileStore) -> None:
    leader = start(
        """
        import sys, time
        from asok.cache import Cache
        def hang():
            print("computing", flush=True)
            time.sleep(600)
        Cache(backend="file", path=sys.argv[1]).remember("key", 60, hang)
        """,
        store.folder,
    )
    assert leader.stdout is not None
    assert leader.stdout.readline() == "computing\n"
    assert store.lease("key") is None
    leader.kill()
    leader.communicate()
    assert Cache(store).remember("key", 60, lambda: "computed") == "computed"


def test_a_writer_killed_at_any_moment_leaves_whole_values(store: FileStore) -> None:
    for turn in range(6):
        writer = start(
            """
            import itertools, sys
            from asok.cache.file import FileStore
            store = FileStore(sys.argv[1])
            for n in itertools.count():
                length = n * 131 % 6000
                store.set("key", [length, "x" * length], ttl=600)
                if n == 20:
                    print("writing", flush=True)
            """,
            store.folder,
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        time.sleep(0.003 * turn)
        writer.kill()
        writer.communicate()
        entry = store.get("key")
        assert entry is not None
        assert len(entry.value[1]) == entry.value[0]
        assert store.set("key", [0, ""], ttl=600)


#: Sets a key to another value: the length of it and as many letters; sys.argv: folder, length.
SETTER = """
import sys
from asok.cache.file import FileStore
length = int(sys.argv[2])
FileStore(sys.argv[1]).set("key", [length, "x" * length], ttl=600)
"""


@pytest.mark.soak
@pytest.mark.parametrize(("old", "new"), [(900, 90), (90, 900), (9000, 90), (90, 9000)])
@pytest.mark.parametrize("call", ["write", "ftruncate", "utimensat", "rename", "unlink", "flock"])
def test_a_writer_killed_by_the_kernel_at_every_call(
    store: FileStore, call: str, old: int, new: int
) -> None:
    strace = program("strace", package="strace")
    for number in range(1, 50):
        store.set("key", [old, "x" * old], ttl=600)
        inject = f"inject={call}:signal=KILL:when={number}"
        traced = [strace, "-f", "-o", "/dev/null", "-e", inject, sys.executable, "-B", "-c"]
        done = subprocess.run([*traced, SETTER, store.folder, str(new)], check=False)
        entry = store.get("key")
        assert entry is not None, f"{call} {number}"
        assert entry.value in ([old, "x" * old], [new, "x" * new])
        assert store.set("key", [1, "x"], ttl=600)
        assert value_of(store, "key") == [1, "x"]
        if done.returncode == 0:
            return
    raise AssertionError("the writer never ended")
