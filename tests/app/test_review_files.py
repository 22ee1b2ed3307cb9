"""Review queues as files: what comes out of a whole one, and every mistake of a broken one."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from regista.app.folder import read
from regista.app.mistakes import FolderError
from regista.app.review_files import queue, queues
from regista.core.errors import UnknownNameError
from regista.feedback.review.queue import DEFAULTS, Choice, Traces

if TYPE_CHECKING:
    from tests.app.conftest import MakeFolder

WHOLE = """question = "Would you send it?"
title = "Refunds"
about = "As a colleague would."
annotators = 3
lease_s = 120
blind_repeats = 0.2
dataset = "refunds"
[[grades]]
name = "no"
anchor = "It is not so."
example = "Keep it."
[[grades]]
anchor = "It is so."
[traces]
status = "ok"
model = "openai/small"
since = "7d"
signal = "wrong"
"""
ASK = 'question = "?"\n'
TWO = '[[grades]]\nanchor = "a"\n[[grades]]\nanchor = "b"\n'


def write(folder: Path, text: str | bytes, name: str = "refunds") -> Path:
    (folder / "reviews").mkdir(exist_ok=True)
    (folder / "reviews" / f"{name}.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_a_whole_queue_is_read_and_the_default_is_there_beside_it(tmp_path: Path) -> None:
    found = queues(write(tmp_path, WHOLE))
    assert list(found) == ["answers", "refunds"] and found["answers"] is DEFAULTS["answers"]
    one = found["refunds"]
    assert (one.kind, one.annotators, one.lease_s, one.blind_repeats, one.dataset) == ("grades", 3, 120, 0.2, "refunds")
    assert one.grades == (Choice("It is not so.", "no", "Keep it."), Choice("It is so."))
    assert (
        one.traces == Traces("ok", "openai/small", "7d", "wrong") and one.since_ns(10**18) == 10**18 - 604_800 * 10**9
    )


def test_without_a_file_there_is_one_queue_and_a_file_takes_its_place(tmp_path: Path) -> None:
    assert queues(tmp_path) == DEFAULTS
    assert queue(write(tmp_path, WHOLE, "answers"), "answers").annotators == 3
    with pytest.raises(UnknownNameError, match="Did you mean 'answers'"):
        queue(tmp_path, "answer")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("question = \n", 1, "not valid TOML"),
        (b'question = "\xff"', 0, "not UTF-8"),
        ("annotators = 2\n" + TWO, 1, "needs the key 'question'"),
        (ASK + "annotaters = 2\n" + TWO, 2, "no key 'annotaters'. Did you mean 'annotators'?"),
        (ASK + "annotators = 0\n" + TWO, 2, "annotators: Expected a whole number >= 1"),
        (ASK + "blind_repeats = 0.9\n" + TWO, 2, "<= 0.5"),
        (ASK + "lease_s = 5\n" + TWO, 2, ">= 30"),
        (ASK + 'dataset = "../x"\n' + TWO, 2, "Name a dataset by"),
        (ASK, 1, "has no scale"),
        (ASK + "pairwise = true\n" + TWO, 2, "has grades and pairwise"),
        (ASK + '[[grades]]\nanchor = "a"\n', 2, "2 grades at least"),
        (ASK + TWO * 5, 20, "9 grades at most"),
        (ASK + '[[grades]]\nname = "a"\n' + TWO, 2, "[[grades]] needs the key 'anchor'"),
        (ASK + '[[grades]]\nancor = "a"\n' + TWO, 3, "Did you mean 'anchor'?"),
        (ASK + 'grades = "many"\n', 2, "write [[grades]]"),
        (ASK + "[[labels]]\nanchor='a'\n[[labels]]\nname='b'\nanchor='b'\n", 2, "needs a name of its own"),
        (ASK + TWO + '[traces]\nsince = "yesterday"\n', 7, "Write a time such as"),
        (ASK + TWO + '[traces]\nstatus = "eror"\n', 7, "Did you mean 'error'?"),
        (ASK + TWO + '[traces]\nvariants = ["aaaa", "bbbb"]\n', 7, "pairwise"),
        ("traces = 3\n" + ASK + TWO, 1, "traces must be a table"),
    ],
)
def test_every_mistake_is_told_with_its_line(tmp_path: Path, text: str | bytes, line: int, says: str) -> None:
    with pytest.raises(FolderError) as raised:
        queues(write(tmp_path, text))
    told = {(one.file, one.line) for one in raised.value.mistakes}
    assert ("reviews/refunds.toml", line) in told and says in str(raised.value), str(raised.value)


def test_a_folder_with_a_broken_queue_is_told_with_all_its_mistakes(make_folder: "MakeFolder") -> None:
    with pytest.raises(FolderError, match=r"reviews/tone.toml:1: .*needs the key 'question'"):
        read(make_folder({"reviews/tone.toml": TWO}))
    with pytest.raises(FolderError, match="lower-case letters"):
        read(make_folder({"reviews/To ne.toml": ASK + TWO}))


def test_the_example_of_the_documentation_is_a_whole_queue(tmp_path: Path) -> None:
    example = (Path(__file__).parents[2] / "docs" / "review.md").read_text("utf-8").partition("```toml\n")[2]
    made = queue(write(tmp_path, example.partition("```")[0]), "refunds")
    assert made.kind == "grades" and made.traces.signal == "wrong"


def test_a_queue_changes_nothing_that_is_served(make_folder: "MakeFolder") -> None:
    assert read(make_folder({})).digest == read(make_folder({"reviews/tone.toml": ASK + TWO})).digest
