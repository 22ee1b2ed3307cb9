import asyncio
import io
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.core.framing import HEADER, frame, read_frame, receive_frame

texts = st.lists(st.text(), min_size=1, max_size=5)


class Pieces:
    """A source that gives at most so many bytes at once, as a pipe does."""

    def __init__(self, data: bytes, sizes: Sequence[int]) -> None:
        self._data = io.BytesIO(data)
        self._sizes = list(sizes)

    def read(self, size: int, /) -> bytes:
        most = self._sizes.pop(0) if self._sizes else 1
        return self._data.read(min(size, most))


async def received(data: bytes) -> list[bytes]:
    """All payloads that an asyncio reader gets, until there are no more."""
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    found = list[bytes]()
    while payload := await receive_frame(reader):
        found.append(payload)
    return found


@given(texts, st.lists(st.integers(1, 9)))
def test_messages_come_out_as_they_went_in_however_short_the_reads_are(said: list[str], sizes: list[int]) -> None:
    source = Pieces(b"".join(map(frame, said)), sizes)
    assert [msgspec.msgpack.decode(read_frame(source)) for _ in said] == said
    assert read_frame(source) == b""


@given(texts, st.data())
async def test_a_message_that_is_cut_off_is_none_and_those_before_it_are(said: list[str], data: st.DataObject) -> None:
    *whole, last = map(frame, said)
    cut = data.draw(st.integers(0, len(last) - 1))
    all_of_it = b"".join([*whole, last[:cut]])
    source = Pieces(all_of_it, [])
    assert [msgspec.msgpack.decode(read_frame(source)) for _ in whole] == said[:-1]
    assert read_frame(source) == b""
    assert [msgspec.msgpack.decode(one) for one in await received(all_of_it)] == said[:-1]


@pytest.mark.parametrize("buffering", [0, -1])
def test_a_message_that_is_larger_than_a_pipe_is_read_whole(buffering: int, tmp_path: Path) -> None:
    said = "x" * 300_000
    (tmp_path / "frames").write_bytes(frame(said) * 2)
    with subprocess.Popen(["cat", str(tmp_path / "frames")], stdout=subprocess.PIPE, bufsize=buffering) as process:
        assert process.stdout is not None
        assert msgspec.msgpack.decode(read_frame(process.stdout)) == said
        assert msgspec.msgpack.decode(read_frame(process.stdout)) == said
        assert read_frame(process.stdout) == b""


async def test_an_empty_frame_is_no_message() -> None:
    assert read_frame(io.BytesIO(HEADER.pack(0) + frame("never read"))) == b""
    assert await received(HEADER.pack(0) + frame("never read")) == []
    assert read_frame(io.BytesIO()) == b""
    assert await received(b"") == []
