"""Examples that are added one by one: where they wait, and that none is lost or there twice, whatever ends when."""

import errno
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.test_rollups import trace

from regista.core.errors import ConfigurationError, RequestError, StoreError
from regista.data.adding import add, add_one
from regista.data.dataset import FOLDER, Example, Lineage, find, keep, path_of, read, versions
from regista.data.erasing import erase
from regista.data.from_traces import example_of, masking
from regista.serve.guardrails import guardrails

CHILD = """
import os, signal, sys
from pathlib import Path
from regista.data.adding import add_one
from regista.data.dataset import Example, versions
folder = Path(sys.argv[1])
def put(n):
    add_one(folder, "picked", Example(f"{n:x}", f"Question {n}?", "Yes.", f"{n:032x}", "v", "m", "ok", n), (), "shop")
    os.write(1, f"{n}\\n".encode())
"""


def asked(n: int, question: str, reference: str = "", answer: str = "Yes.") -> Example:
    return example_of(trace(n, n, question=question, answer=answer), reference)


def child(folder: Path, code: str, *arguments: str) -> "subprocess.Popen[str]":
    """A process that adds to the dataset and writes the number of each example once it is kept."""
    return subprocess.Popen(
        [sys.executable, "-c", CHILD + code, str(folder), *arguments], stdout=subprocess.PIPE, text=True
    )


def whole(folder: Path, told: list[int]) -> list[int]:
    """The numbers in the newest version: those that were told, each once, and perhaps the one that was under way."""
    there = versions(folder, "picked")
    numbers = [int(example.trace, 16) for example in read(folder, there[0])] if there else []
    assert numbers == sorted(set(numbers)) and set(told) <= set(numbers)
    assert sum(one.filters["added"] for one in there) == len(numbers), "Each version says what it added."
    return numbers


def test_what_is_added_by_itself_is_in_one_version_once_they_are_read(tmp_path: Path) -> None:
    first = add(tmp_path, "picked", [asked(1, "Open?")], (), "shop")
    place = tmp_path / FOLDER / "picked"
    before = {file.name for file in place.iterdir()}
    add_one(tmp_path, "picked", asked(2, "Closed?"), (), "shop")
    add_one(tmp_path, "picked", asked(3, "I am jo@example.org"), masking(), "shop")
    assert {file.name for file in place.iterdir()} - before == {"pending"}
    assert "jo@example.org" not in (place / "pending").read_text()
    second = find(tmp_path, "picked")
    assert [one.input for one in read(tmp_path, second)] == ["Open?", "Closed?", "I am [EMAIL]"]
    assert (second.parent, second.filters, second.masked) == (first.version, {"added": 2}, {"email": 1})
    assert (second.left_out, second.application, second.examples) == ({}, "shop", 3)
    assert versions(tmp_path) == [second, first] and len(list(place.iterdir())) == 4


def test_a_question_asked_again_is_counted_and_keeps_its_reference(tmp_path: Path) -> None:
    add_one(tmp_path, "picked", asked(1, "Open?", "From nine."), (), "shop")
    add_one(tmp_path, "picked", asked(2, "Where?"), (), "shop")
    add_one(tmp_path, "picked", asked(1, " open? "), (), "shop")
    (kept,) = versions(tmp_path, "picked")
    assert [(one.input, one.reference) for one in read(tmp_path, kept)] == [("Where?", ""), (" open? ", "From nine.")]
    assert (kept.filters, kept.left_out) == ({"added": 3}, {"asked again": 1})


def test_what_comes_to_an_older_version_is_the_newest_again(tmp_path: Path) -> None:
    for answer in ("Yes.", "No.", "Yes."):
        add_one(tmp_path, "picked", asked(1, "Open?", answer=answer), (), "shop")
        assert [one.output for one in read(tmp_path, find(tmp_path, "picked"))] == [answer]
    assert len(versions(tmp_path)) == 2


def test_many_that_are_added_at_once_stand_behind_those_that_wait(tmp_path: Path) -> None:
    add(tmp_path, "picked", [asked(1, "Open?")], (), "shop", {"mask": False})
    add_one(tmp_path, "picked", asked(2, "Where?"), masking(), "shop")
    kept = add(tmp_path, "picked", [asked(3, "Why?")], (), "shop")
    assert [one.input for one in read(tmp_path, kept)] == ["Open?", "Where?", "Why?"]
    assert [one.filters for one in versions(tmp_path)] == [{"added": 1, "mask": False}] * 3


def test_what_may_not_be_an_example_is_told_at_once_and_does_not_wait(tmp_path: Path) -> None:
    blocking = [("secrets", guardrails.build("secrets", action="block"))]
    with pytest.raises(RequestError, match="1 blocked by a guardrail"):
        add_one(tmp_path, "picked", asked(1, "The key is AKIA" + "IOSFODNN7QRSTUVW"), blocking, "shop")
    with pytest.raises(RequestError, match="1 without a question"):
        add_one(tmp_path, "picked", asked(1, " "), (), "shop")
    with pytest.raises(ConfigurationError, match="no name of a dataset"):
        add_one(tmp_path, "../elsewhere", asked(1, "Open?"), (), "shop")
    assert not list(tmp_path.rglob("pending")) and versions(tmp_path) == []


@given(st.lists(st.tuples(st.sampled_from(["a", "A", "b", "c"]), st.sampled_from(["", "r", "s"]), st.booleans())))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whoever_reads_between_them_the_same_examples_come_of_it(
    tmp_path_factory: pytest.TempPathFactory, given: list[tuple[str, str, bool]]
) -> None:
    waiting, at_once = tmp_path_factory.mktemp("shop"), tmp_path_factory.mktemp("shop")
    for n, (question, reference, is_read) in enumerate(given):
        example = asked(n, question, reference, f"{n}")
        add_one(waiting, "picked", example, (), "shop")
        add(at_once, "picked", [example], (), "shop")
        if is_read:
            assert versions(waiting, "picked")[0].version == versions(at_once, "picked")[0].version
    assert [one.version for one in versions(waiting)][:1] == [one.version for one in versions(at_once)][:1]


def test_an_erased_user_s_examples_do_not_wait_either(tmp_path: Path) -> None:
    hers, his = asked(1, "Where is the heron?"), asked(2, "Where is the spade?")
    for one in (hers, his):
        add_one(tmp_path, "picked", one, (), "shop")
    (gone,) = erase(tmp_path, {hers.trace})
    assert (gone.name, gone.examples) == ("picked", 1)
    (left,) = versions(tmp_path)
    assert (left.version, left.erased) == (gone.by, 1)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert [file for file in files if b"spade" in file.read_bytes()] == [path_of(tmp_path, left)]
    assert not [file for file in files if b"heron" in file.read_bytes()]


def test_a_line_that_a_crash_cut_off_is_no_example_and_spoils_none(tmp_path: Path) -> None:
    waiting = tmp_path / FOLDER / "picked" / "pending"
    add_one(tmp_path, "picked", asked(1, "Open?"), (), "shop")
    line = waiting.read_bytes()
    waiting.write_bytes(line + line[:30])
    add_one(tmp_path, "picked", asked(2, "Where?"), (), "shop")
    waiting.write_bytes(waiting.read_bytes() + line[:-1])
    assert [one.input for one in read(tmp_path, find(tmp_path, "picked"))] == ["Open?", "Where?"]
    waiting.write_bytes(line[:30])
    assert len(versions(tmp_path)) == 1 and not waiting.exists()


def test_a_line_that_is_no_example_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    add_one(tmp_path, "picked", asked(1, "Open?"), (), "shop")
    place = tmp_path / FOLDER / "picked"
    (place / "pending").write_bytes((place / "pending").read_bytes() + b"{}\n")
    with pytest.raises(ConfigurationError, match=r"pending\.taken is no example.*Take it out"):
        versions(tmp_path)
    (place / "pending.taken").write_bytes((place / "pending.taken").read_bytes().removesuffix(b"{}\n"))
    assert versions(tmp_path)[0].examples == 1


def test_where_the_disk_is_full_the_example_is_refused_and_those_before_it_stay(tmp_path: Path) -> None:
    code = """
import resource
from regista.core.errors import StoreError
put(11)
put(12)
file = folder / "evals/datasets/picked/pending"
resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 20, resource.RLIM_INFINITY))
for act in (lambda: put(13), lambda: versions(folder)):
    try:
        act()
    except StoreError as error:
        print(error.message, flush=True)
"""
    keep(
        tmp_path,
        [asked(n, f"Question {n}?" + "?" * 99) for n in range(1, 7)],
        Lineage("picked", "", "shop", 1, 0, {"added": 6}, {}, {}),
    )
    told = child(tmp_path, code).communicate()[0].splitlines()
    assert told[:2] == ["11", "12"] and len(told) == 4
    assert told[2].startswith("Nothing was added to picked") and "None is lost" in told[3]
    assert whole(tmp_path, [11, 12]) == [*range(1, 7), 11, 12]


def test_what_the_disk_did_not_take_is_refused_and_does_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(file: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    add_one(tmp_path, "picked", asked(1, "Open?"), (), "shop")
    with monkeypatch.context() as patched, pytest.raises(StoreError, match="Nothing was added to picked"):
        patched.setattr(os, "fsync", fails)
        add_one(tmp_path, "picked", asked(2, "Where?"), (), "shop")
    assert whole(tmp_path, [1]) == [1]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "evals").write_text("")
    with pytest.raises(StoreError, match="Nothing was added to picked"):
        add_one(tmp_path, "picked", asked(1, "Open?"), (), "shop")


def test_of_those_that_processes_add_while_others_read_none_is_lost(tmp_path: Path) -> None:
    def put(n: int) -> None:
        add_one(tmp_path, "picked", asked(n, f"{n}"), (), "shop")

    adding = "for n in range(int(sys.argv[2]), int(sys.argv[3])): put(n)"
    reading = "\nfor _ in range(40): versions(folder)"
    running = [
        child(tmp_path, adding, "100", "140"),
        child(tmp_path, "\nfor n in range(200, 240):\n    put(n)\n    versions(folder)"),
        child(tmp_path, reading),
    ]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(put, range(24)))
    for process in running:
        with process:
            process.communicate()
    assert [process.returncode for process in running] == [0, 0, 0]
    there = versions(tmp_path, "picked")
    found = [int(one.trace, 16) for one in read(tmp_path, there[0])]
    assert sorted(found) == [*range(24), *range(100, 140), *range(200, 240)]
    assert sum(one.filters["added"] for one in there) == 104


def test_a_process_that_is_killed_at_any_moment_loses_and_doubles_nothing(tmp_path: Path) -> None:
    code = "\nfor n in range(int(sys.argv[2]), 10**6):\n    put(n)\n    if n % 3 == 0: versions(folder)"
    told: list[int] = []
    for lines in (1, 4, 9, 20):
        last = max(told, default=0)
        with child(tmp_path, code, str(last + 2)) as process:
            assert process.stdout is not None
            told += [int(process.stdout.readline()) for _ in range(lines)]
            process.kill()
            told += [int(line) for line in process.stdout.read().split()]
        assert process.returncode == -signal.SIGKILL
        there = whole(tmp_path, told)
        assert len(there) - len(told) in range(4), "At most one more of each process."


def test_killed_before_any_step_it_takes_with_files_a_process_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Every place where files are opened, renamed, cut or removed, on the way of three examples into two versions."""
    code = """
STEPS = {"open", "os.rename", "os.remove", "os.truncate", "os.mkdir"}
def forked(place, step):
    global folder
    folder, left = place, [step]
    def count(event, given):
        if event in STEPS and str(place) in str(given[0]) or event == "os.truncate":
            left[0] -= 1
            if left[0] < 0: os.kill(os.getpid(), signal.SIGKILL)
    os.dup2(os.open(place.with_suffix(".told"), os.O_WRONLY | os.O_CREAT), 1)
    sys.addaudithook(count)
    put(1)
    put(2)
    versions(folder)
    put(3)
    versions(folder)
for step in range(200):
    if (child := os.fork()) == 0:
        forked(folder / f"{step}", step)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0: break
print(step)
"""
    steps = int(child(tmp_path, code).communicate()[0])
    assert 30 < steps < 200
    ends = set[int]()
    for step in range(steps + 1):
        folder = tmp_path / f"{step}"
        told = [int(line) for line in (tmp_path / f"{step}.told").read_text().split()]
        # More is added after the crash before anybody reads.
        add_one(folder, "picked", asked(9, "After?"), (), "shop")
        there = whole(folder, [*told, 9])
        assert len(there) - len(told) in (1, 2)
        ends.add(len(there))
        erase(folder, {f"{n:032x}" for n in (1, 2, 3)})
        assert not [file for file in folder.rglob("*") if file.is_file() and b"Question" in file.read_bytes()]
    assert ends == {1, 2, 3, 4}


def test_reading_makes_nothing_where_nothing_waits(tmp_path: Path) -> None:
    add(tmp_path, "picked", [asked(1, "Open?")], (), "shop")
    (tmp_path / ".regista" / "datasets.lock").unlink()
    os.rmdir(tmp_path / ".regista")
    assert len(versions(tmp_path)) == 1 and not (tmp_path / ".regista").exists()
