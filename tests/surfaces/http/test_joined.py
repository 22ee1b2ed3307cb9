"""The head of an answer and what follows it: one write, in order, and never held for long."""

import asyncio

from regista.surfaces.http.protocol import Joined

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"


class Written(asyncio.Transport):
    """A transport that takes down what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None: ...


async def test_head_and_body_are_one_write() -> None:
    below = Written()
    joined = Joined(below, asyncio.get_running_loop())
    joined.write(HEAD)
    joined.write(b"hello")
    joined.write(b"next")
    await asyncio.sleep(0)
    assert below.writes == [HEAD + b"hello", b"next"]


async def test_a_head_alone_is_written_as_soon_as_the_loop_comes_round() -> None:
    below = Written()
    joined = Joined(below, asyncio.get_running_loop())
    joined.write(HEAD)
    assert below.writes == []
    await asyncio.sleep(0)
    assert below.writes == [HEAD]
    joined.write(b"later")
    assert below.writes == [HEAD, b"later"]


async def test_what_is_held_is_written_before_the_connection_closes() -> None:
    below = Written()
    joined = Joined(below, asyncio.get_running_loop())
    joined.write(HEAD)
    joined.close()
    assert (below.writes, below.closed, joined.is_closing()) == ([HEAD], True, True)
    await asyncio.sleep(0)
    assert below.writes == [HEAD]


async def test_a_body_that_looks_like_a_head_keeps_its_place() -> None:
    below = Written()
    joined = Joined(below, asyncio.get_running_loop())
    for piece in (HEAD, b"HTTP/1.1 looks like one\r\n\r\n", HEAD, b"x"):
        joined.write(piece)
    await asyncio.sleep(0)
    assert b"".join(below.writes) == HEAD + b"HTTP/1.1 looks like one\r\n\r\n" + HEAD + b"x"
