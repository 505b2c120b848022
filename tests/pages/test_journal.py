"""The journal of invalidated tags: shared by processes, bounded, and whole after a kill."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asok.pages import Mark
from asok.pages.journal import TagJournal


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tags"


def test_nothing_was_ever_invalidated(file: Path) -> None:
    journal = TagJournal(file)
    assert journal.marks(["posts"]) == Mark()
    assert (len(journal), journal.latest) == (0, 0.0)
    assert not file.exists()


def test_another_reader_learns_of_an_invalidation(file: Path) -> None:
    reader, writer = TagJournal(file), TagJournal(file)
    writer.add("posts", 10.0, block=False)
    assert writer.marks(["posts", "other"]) == Mark(10.0)
    assert reader.marks(["posts"]) == Mark()
    reader.refresh()
    assert reader.marks(["posts"]) == Mark(10.0)
    writer.add("posts", 12.0, block=True)
    writer.add("authors", 11.0, block=False)
    reader.refresh()
    assert reader.marks(["posts"]) == Mark(12.0, 12.0)
    assert reader.marks(["authors"]) == Mark(11.0)
    assert reader.marks(["authors", "posts"]) == Mark(12.0, 12.0)
    assert reader.latest == 12.0
    reader.refresh()
    assert len(reader) == 2


def test_two_writers_lose_nothing(file: Path) -> None:
    one, two = TagJournal(file), TagJournal(file)
    for number in range(50):
        (one if number % 2 else two).add(f"tag:{number}", float(number + 1), block=False)
    found = TagJournal(file)
    assert [found.marks([f"tag:{number}"]).at for number in range(50)] == [*range(1, 51)]


def test_the_lines_are_readable_and_hold_any_name(file: Path) -> None:
    journal = TagJournal(file)
    names = ["posts", "\0path:/blog/é", 'quoted "tag"', "new\nline", "😀"]
    for name in names:
        journal.add(name, 5.0, block=False)
    assert b'["posts",5.0,0.0]' in file.read_bytes()
    found = TagJournal(file)
    assert [found.marks([name]).at for name in names] == [5.0] * len(names)


def test_the_half_line_of_a_killed_writer_is_passed_over(file: Path) -> None:
    journal, reader = TagJournal(file), TagJournal(file)
    journal.add("first", 1.0, block=False)
    with file.open("ab") as out:
        out.write(b'["half",2')
    reader.refresh()
    assert reader.marks(["half"]) == Mark()
    TagJournal(file).add("second", 3.0, block=True)
    reader.refresh()
    assert reader.marks(["first"]) == Mark(1.0)
    assert reader.marks(["second"]) == Mark(3.0, 3.0)
    assert reader.marks(["half"]) == Mark()


@pytest.mark.parametrize("damage", [b"", b"\n", b"\xff\xfe" * 200, b"{}\n[]\nnull\n", b"\0" * 300])
def test_a_damaged_file_is_written_anew(file: Path, damage: bytes) -> None:
    file.write_bytes(damage)
    journal = TagJournal(file)
    assert journal.marks(["posts"]) == Mark()
    journal.add("posts", 4.0, block=False)
    journal.add("more", 5.0, block=False)
    assert journal.marks(["posts"]) == Mark(4.0)
    assert TagJournal(file).marks(["posts", "more"]) == Mark(5.0)


def test_the_same_tag_again_and_again_does_not_let_it_grow(file: Path) -> None:
    journal, reader = TagJournal(file), TagJournal(file)
    for number in range(2500):
        journal.add("posts", float(number + 1), block=number == 7)
    assert len(file.read_bytes().splitlines()) < 1100
    reader.refresh()
    assert reader.marks(["posts"]) == Mark(2500.0, 8.0)
    assert reader.marks(["other"]) == Mark()


def test_the_oldest_tags_leave_and_then_count_for_everything(file: Path) -> None:
    journal, reader = TagJournal(file, max_tags=20), TagJournal(file, max_tags=20)
    for number in range(30):
        journal.add(f"tag:{number}", float(number + 1), block=number == 2)
    reader.refresh()
    for found in (journal, reader, TagJournal(file)):
        assert len(found) <= 20
        assert found.marks(["tag:29"]) == Mark(30.0, 3.0)
        # Whatever is older than the forgotten ones may be meant by them.
        forgotten = found.marks(["tag:0"])
        assert forgotten == found.marks(["never heard of"])
        assert 3.0 <= forgotten.at < 30.0
        assert forgotten.block_at == 3.0
        assert found.latest == 30.0


def test_long_names_are_bounded_in_bytes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asok.pages.journal._MAX_BYTES", 20_000)
    journal = TagJournal(file)
    for number in range(60):
        journal.add(f"{number}" + "x" * 1000, float(number + 1), block=False)
    assert file.stat().st_size < 25_000
    assert journal.marks(["59" + "x" * 1000]).at == 60.0
    assert journal.marks(["0" + "x" * 1000]).at > 1.0


def test_a_reader_that_missed_several_rewrites_starts_over(file: Path) -> None:
    journal, reader = TagJournal(file, max_tags=5), TagJournal(file, max_tags=5)
    for number in range(40):
        journal.add(f"{number}", float(number + 1), block=False)
        if number == 3:
            reader.refresh()
    reader.refresh()
    assert reader.marks(["39"]) == journal.marks(["39"])
    assert reader.marks(["3"]) == journal.marks(["3"])
    assert len(reader) == len(journal)


def test_a_file_that_was_removed_is_written_whole_again(file: Path) -> None:
    journal, reader = TagJournal(file), TagJournal(file)
    journal.add("first", 1.0, block=False)
    reader.refresh()
    file.unlink()
    journal.add("second", 2.0, block=False)
    reader.refresh()
    for found in (journal, reader, TagJournal(file)):
        assert found.marks(["first"]) == Mark(1.0)
        assert found.marks(["second"]) == Mark(2.0)


def test_a_folder_that_can_not_be_written_is_an_error_for_the_writer(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    journal = TagJournal(tmp_path / "file" / "tags")
    journal.refresh()
    with pytest.raises(OSError, match=os.strerror(20)):
        journal.add("posts", 1.0, block=False)


EVENTS = st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), max_size=60)


@given(events=EVENTS, bound=st.integers(2, 8))
def test_no_invalidation_is_ever_lost(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, bool]], bound: int
) -> None:
    """Whatever leaves the journal, a page made before an invalidation still counts as such."""
    file = tmp_path_factory.mktemp("journal") / "tags"
    journal = TagJournal(file, max_tags=bound)
    expected: dict[str, Mark] = {}
    for at, (tag, block) in enumerate(events, 1):
        journal.add(tag, float(at), block=block)
        expected[tag] = expected.get(tag, Mark()).later(Mark(at, at if block else 0.0))
    for found in (journal, TagJournal(file)):
        for tag, mark in expected.items():
            assert found.marks([tag]).at >= mark.at
            assert found.marks([tag]).block_at >= mark.block_at
