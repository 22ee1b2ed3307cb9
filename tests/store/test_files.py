import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.core.errors import NotFoundError
from regista.store import Database, files
from regista.store.files import ABANDONED_NS, PART


def whole(database: Database, content: bytes, tenant: str = "t", kept_ns: int | None = None, cut: int = PART) -> str:
    """A file of this content."""
    file = files.begin(database, tenant, "f", "batch")
    for n in range(0, len(content), cut):
        files.append(database, file, n // cut, content[n : n + cut])
    return files.finish(database, file, "batch", "f", kept_ns).id


def test_a_file_is_there_when_it_is_whole_and_for_its_tenant_alone(database: Database) -> None:
    file = files.begin(database, "t", "a", "batch")
    files.append(database, file, 0, b"one\n")
    with pytest.raises(NotFoundError):
        files.find(database, "t", file)
    assert files.listing(database, "t") == []
    made = files.finish(database, file, "batch", "b", None)
    assert (made.bytes, made.name) == (4, "b")
    assert files.find(database, "t", file) == made and files.listing(database, "t") == [made]
    assert files.listing(database, "u") == []
    with pytest.raises(NotFoundError):
        files.find(database, "u", file)


def test_an_expired_file_is_gone_before_it_is_swept_and_its_parts_after(database: Database) -> None:
    file, stays = whole(database, b"x" * 2000, kept_ns=1), whole(database, b"y")
    with pytest.raises(NotFoundError):
        files.find(database, "t", file)
    assert [kept.id for kept in files.listing(database, "t")] == [stays]
    files.sweep(database, time.time_ns())
    assert list(files.blocks(database, file)) == [] and list(files.blocks(database, stays)) == [b"y"]


def test_an_upload_that_was_given_up_is_swept_after_a_day(database: Database) -> None:
    file = files.begin(database, "t", "f", "batch")
    output = files.begin(database, "t", "f", "batch_output")
    for one in (file, output):
        files.append(database, one, 0, b"x")
    now = time.time_ns()
    files.sweep(database, now)
    assert list(files.blocks(database, file)) == [b"x"]
    files.sweep(database, now + ABANDONED_NS + 10**9)
    assert list(files.blocks(database, file)) == []
    assert list(files.blocks(database, output)) == [b"x"], "What a batch writes is whole when the batch has ended."


def test_pages_follow_each_other_whatever_comes_between(database: Database) -> None:
    made = [whole(database, b"x") for _ in range(7)]
    first = files.listing(database, "t", limit=3)
    whole(database, b"x")
    second = files.listing(database, "t", limit=3, after=first[-1].id)
    assert [file.id for file in first + second] == made[:0:-1]
    oldest = files.listing(database, "t", limit=2, oldest=True)
    assert [file.id for file in oldest] == made[:2]


@given(
    lines=st.lists(
        st.binary(max_size=40).filter(lambda line: b"\n" not in line and not line.endswith(b"\r")), max_size=9
    ),
    ends=st.sampled_from([b"\n", b"\r\n"]),
    closed=st.booleans(),
    cut=st.integers(1, 50),
)
def test_lines_are_the_same_however_they_were_cut(lines: list[bytes], ends: bytes, closed: bool, cut: int) -> None:
    content = ends.join(lines) + (ends if closed and lines else b"")
    expected = lines if closed or not lines or lines[-1] else lines[:-1]
    blocks = [content[start : start + cut] for start in range(0, len(content), cut)]
    assert list(files.cut(blocks, 100)) == list(enumerate(expected, 1))


def test_of_a_line_that_is_too_long_only_so_much_is_held(database: Database) -> None:
    file = whole(database, b"a" * 3 * PART + b"\nshort\n" + b"b" * 3 * PART)
    found = list(files.lines(database, file, 1000))
    assert [(n, len(line)) for n, line in found] == [(1, 1001), (2, 5), (3, 1001)]


def test_lines_are_taken_out_of_whole_files_alone(database: Database) -> None:
    """What is uploaded comes part by part, and a line may begin in one and end in the next."""
    file = files.begin(database, "t", "f", "batch")
    files.append(database, file, 0, b"ana 1\nbob 2\nb")
    assert files.empty_lines(database, file, lambda line: line.startswith(b"ana")) == 0
    files.append(database, file, 1, b"ob 3\n")
    files.finish(database, file, "batch", "f", None)
    assert b"".join(files.blocks(database, file)) == b"ana 1\nbob 2\nbob 3\n"
    assert files.empty_lines(database, file, lambda line: line.startswith(b"ana")) == 1
    assert b"".join(files.blocks(database, file)) == b"\nbob 2\nbob 3\n"
    assert files.find(database, "t", file).bytes == 13


def test_who_takes_lines_out_meanwhile_or_the_whole_file_is_not_undone(database: Database) -> None:
    def meanwhile(file: str, do: Callable[[], object]) -> int:
        waiting = [do]

        def goes(line: bytes) -> bool:
            if waiting:
                waiting.pop()()
            return line.startswith(b"ana")

        return files.empty_lines(database, file, goes)

    file = whole(database, b"ana 1\nbob 2\ncy 3\n")
    assert meanwhile(file, lambda: files.empty_lines(database, file, lambda line: line.startswith(b"bob"))) == 1
    assert b"".join(files.blocks(database, file)) == b"\n\ncy 3\n"
    gone = whole(database, b"ana 1\nbob 2\n")
    assert meanwhile(gone, lambda: files.remove(database, gone)) == 0
    assert database.query("SELECT DISTINCT file FROM file_parts") == [(file,)]
