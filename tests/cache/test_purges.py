"""What one worker removes from its memory leaves the memories of the others too."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from tests.site import serve, write_site

from asok.cache import Cache, configure
from asok.cache.purges import share_purges
from asok.notices import FileNotices, LocalNotices
from asok.testing.stores.asking import eventually

from .places import RedisPlace
from .workers import start

#: A worker that has three values, and says which are left after each line of input.
WORKER = """
import sys
from pathlib import Path
from asok.cache import Cache, cache, configure
from asok.notices import FileNotices
notices = FileNotices(Path(sys.argv[1]))
configure(Cache(), notices=notices)
cache.set_many({"a": 1, "b": 2}, 60)
cache.set("tagged", 3, 60, tags=["posts"])
lease = cache.store.lease("a")
print("ready", flush=True)
for _ in sys.stdin:
    notices.poll()
    print(*cache.get_many(["a", "b", "tagged"]), flush=True)
print(cache.store.set("a", "begun before", ttl=60, lease=lease))
"""

PART = '{% cache "part" 3600, tags=["posts"] %}<p>{{ text() }}</p>{% endcache %}'


@pytest.fixture(autouse=True)
def nothing_is_left() -> Generator[None]:
    yield
    configure(None)


def test_a_worker_forgets_what_another_removed(tmp_path: Path) -> None:
    path = tmp_path / "notices"
    path.touch()
    worker = start(WORKER, str(path))
    assert worker.stdin is not None
    assert worker.stdout is not None
    left: list[str] = []

    def ask() -> None:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
        left.append(worker.stdout.readline().strip())

    assert worker.stdout.readline() == "ready\n"
    cache = Cache()
    configure(cache, notices=FileNotices(path))
    cache.set("b", "ours")
    ask()
    cache.forget("a")
    ask()
    cache.forget_tags("posts")
    ask()
    assert cache.get("b") == "ours", "what it tells it does not hear"
    cache.flush()
    ask()
    output, errors = worker.communicate()
    assert left == ["a b tagged", "b tagged", "b", ""], errors
    assert output == "False\n", "what was begun before the removal is not stored after it"


def test_lost_notices_may_have_removed_anything() -> None:
    notices = LocalNotices()
    cache = Cache()
    end = share_purges(cache.store, notices)
    cache.set("key", 1)
    notices.publish("notices.missed", {})
    assert not cache.has("key")
    cache.set("key", 1)
    end()
    notices.publish("notices.missed", {})
    assert cache.has("key")
    cache.forget("key")


def test_a_full_disk_costs_the_notice_and_not_the_removal(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cache, notices = Cache(), LocalNotices()
    configure(cache, notices=notices)
    cache.set("key", 1)
    with patch.object(notices, "publish", side_effect=OSError("disk full")):
        assert cache.forget("key")
    assert not cache.has("key")
    with caplog.at_level(logging.ERROR):
        assert "could not be told" in caplog.text


def test_a_store_that_processes_share_needs_no_notice(tmp_path: Path, redis_url: str) -> None:
    place, notices = RedisPlace(redis_url), LocalNotices()
    for cache in (Cache(backend="file", path=tmp_path), Cache(place.open())):
        configure(cache, notices=notices)
        with patch.object(notices, "publish", side_effect=AssertionError):
            cache.set("key", 1)
            assert cache.forget("key")
    place.close()


@pytest.mark.soak
def test_a_tag_reaches_the_memory_of_every_worker_of_a_site(tmp_path: Path) -> None:
    root = write_site(
        tmp_path,
        {
            "src/pages/page.html": "home",
            "src/pages/value/page.py": """
                import os
                from asok.cache import cache

                def get(request):
                    made = cache.remember("key", 600, lambda: os.urandom(8).hex(), tags=["posts"])
                    return {"pid": os.getpid(), "made": made}
                """,
            "src/pages/forget/page.py": """
                from asok import revalidate_tag

                def get(request):
                    revalidate_tag("posts")
                    return {}
                """,
        },
    )

    def values(url: str) -> dict[int, str]:
        found: dict[int, str] = {}
        for _ in range(200):
            answer: dict[str, Any] = httpx.get(f"{url}/value").json()
            found[answer["pid"]] = answer["made"]
            if len(found) == 2:
                break
        return found

    with serve(root, "--workers", "2", port=None, ALLOWED_HOSTS="localhost") as url:
        eventually(lambda: len(values(url)) == 2, what="both workers")
        before = values(url)
        assert httpx.get(f"{url}/forget").status_code == 200
        eventually(lambda: not set(before.values()) & set(values(url).values()), what="both anew")
    assert os.getpid() not in before


@pytest.mark.soak
def test_a_static_page_is_never_made_anew_of_what_another_worker_removed(tmp_path: Path) -> None:
    root = write_site(
        tmp_path,
        {
            "text": "0",
            "src/pages/page.py": """
                from pathlib import Path

                SSG = True
                TAGS = ("posts",)

                def get(request):
                    return request.html("home.html", text=Path("text").read_text)
                """,
            "src/pages/home.html": PART,
            "src/pages/part/page.py": """
                import os
                from pathlib import Path

                def get(request):
                    html = request.html("part.html", text=Path("text").read_text)
                    html.headers["x-pid"] = str(os.getpid())
                    return html
                """,
            "src/pages/part/part.html": PART,
            "src/pages/forget/page.py": """
                from asok import revalidate_tag

                def get(request):
                    revalidate_tag("posts", block=True)
                    return {}
                """,
        },
    )
    with serve(root, "--workers", "2", port=None, ALLOWED_HOSTS="localhost") as url:
        pids: set[str] = set()

        def warm() -> bool:
            pids.add(httpx.get(f"{url}/part").headers["x-pid"])
            return len(pids) == 2

        eventually(warm, what="both workers")
        for turn in range(1, 21):
            (root / "text").write_text(str(turn))
            assert httpx.get(f"{url}/forget").status_code == 200
            for _ in range(4):  # other connections, which either worker takes
                httpx.get(f"{url}/")
            eventually(
                lambda turn=turn: f"<p>{turn}</p>" in httpx.get(f"{url}/").text, what=str(turn)
            )
