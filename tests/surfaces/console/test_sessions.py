"""What opens the console and keeps it open, without a server."""

import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.core.errors import StoreError
from regista.surfaces.console.sessions import FILE, LASTS_S, Sessions


def test_only_the_ticket_of_the_last_start_opens(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    first, second = sessions.begin(), sessions.begin()
    assert [sessions.admits(each) for each in (first, second, "", "x")] == [False, True, False, False]


def test_before_the_first_start_nothing_opens(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    assert not sessions.admits("") and not sessions.admits("anything")
    sessions.open()
    assert not sessions.admits(""), "The file is there now, and holds no ticket."


def test_a_session_outlives_a_start_and_is_read_by_every_process(tmp_path: Path) -> None:
    cookie = Sessions(tmp_path).open("rk-abcdef")
    Sessions(tmp_path).begin()
    session = Sessions(tmp_path).read(cookie)
    assert session is not None and session.key == "rk-abcdef"
    assert Sessions(tmp_path / "other").read(cookie) is None
    assert Sessions(tmp_path).cookie != Sessions(tmp_path / "other").cookie


def test_a_session_ends(tmp_path: Path) -> None:
    now = 1_000_000.0
    sessions = Sessions(tmp_path, lambda: now)
    cookie = sessions.open()
    now += LASTS_S - 1
    assert sessions.read(cookie) is not None
    now += 1
    assert sessions.read(cookie) is None


@given(st.integers(0, 200), st.sampled_from("Aa0_-.é"))
def test_a_cookie_that_was_changed_is_none(tmp_path_factory: pytest.TempPathFactory, place: int, other: str) -> None:
    sessions = Sessions(tmp_path_factory.getbasetemp() / "changed")
    cookie = sessions.open()
    at = place % len(cookie)
    changed = cookie[:at] + other + cookie[at + 1 :]
    # The last character of base64 has bits that mean nothing: it may be another and say the same.
    last = {cookie.index(".") - 1, len(cookie) - 1}
    assert changed == cookie or at in last or sessions.read(changed) is None


@given(st.text(max_size=60))
def test_what_is_no_cookie_is_none(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    assert Sessions(tmp_path_factory.getbasetemp() / "none").read(text) is None


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    ticket = sessions.begin()
    file = tmp_path / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ticket not in file.read_text(), "Who reads a backup of it must not come in."
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_who_comes_first_makes_the_secret_that_holds(tmp_path: Path) -> None:
    together = threading.Barrier(8)
    names: list[str] = []

    def ask() -> None:
        sessions = Sessions(tmp_path)
        together.wait()
        names.append(sessions.cookie)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 1


def test_a_file_that_is_damaged_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    with pytest.raises(StoreError, match="Remove it"):
        Sessions(tmp_path).begin()
