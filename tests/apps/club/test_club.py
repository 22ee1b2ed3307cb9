"""The whole club, as it is served: a copy of its folder, its figures built, asked through the public Python API."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import regista
from regista.serve.context.citations import verify

CLUB = Path(__file__).parents[3] / "apps" / "club"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("apps") / "club"
    shutil.copytree(CLUB, place, ignore=shutil.ignore_patterns(".regista", "__pycache__"))
    command = [sys.executable, "-m", "regista", str(place), "build"]
    subprocess.run(command, check=True, capture_output=True, cwd=place.parent)
    return place


@pytest.fixture(scope="module")
def club(folder: Path) -> "Iterator[regista.load]":
    with regista.load(folder) as app:
        yield app


def test_a_role_is_answered_from_the_playbook_with_quotes_that_stand_there(club: "regista.load", folder: Path) -> None:
    answer = club.ask("What does the deep-lying midfielder have to do that the box-to-box does not?")
    assert "playbook/midfield.md" in {citation.document for citation in answer.citations}
    for citation in answer.citations:
        assert verify(citation, (folder / "documents" / citation.document).read_text("utf-8"))
        assert f"{citation.quote} [{citation.marker}]" in answer.answer


def test_a_comparison_quotes_figures_with_intervals_and_names_the_matches(club: "regista.load") -> None:
    answer = club.ask("How does G. Wijnaldum compare with the regulars as a deep-lying midfielder?")
    assert {citation.document for citation in answer.citations} == {"tool:compare_in_role"}
    assert "95 % interval" in answer.answer and "Brighton & Hove Albion" in answer.answer
    trace = club.trace(answer.trace_id)
    tools = next(span for span in trace.spans if span.stage == "tools")
    assert "2500092" in tools.attributes["results"][0], "The rows behind the figures are on the trace."


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("How many sprints did Mohamed Salah make?", "Not measured"),
        ("What is the capital of France?", "The sources do not tell."),
    ],
)
def test_what_is_not_known_is_said(club: "regista.load", question: str, said: str) -> None:
    answer = club.ask(question)
    assert said in answer.answer


def test_a_stream_says_what_the_answer_says(club: "regista.load") -> None:
    question = "Who are the regular strikers?"
    streamed = "".join(delta.text for delta in club.stream(question))
    assert streamed == club.ask(question).answer


def test_retrieved_text_stands_in_its_document(club: "regista.load", folder: Path) -> None:
    hits = club.retrieve("scanning before receiving", k=5)
    assert len(hits) == 5
    for hit in hits:
        assert (folder / "documents" / hit.document).read_text("utf-8")[hit.start : hit.end] == hit.text


def test_traces_tell_what_was_asked(club: "regista.load") -> None:
    club.ask("What does a winger do?")
    newest = club.traces(limit=1)[0]
    assert newest.status == "ok" and newest.application == "club"


def test_a_document_that_is_deleted_is_gone_everywhere_and_the_variant_of_the_index_moves_on(
    folder: Path, tmp_path: Path
) -> None:
    place = tmp_path / "club"
    shutil.copytree(folder, place)
    with regista.load(place) as app:
        assert any(hit.document == "limits.md" for hit in app.retrieve("what event data cannot show", k=10))
        (place / "documents" / "limits.md").unlink()
        report = app.ingest()
        assert (report.removed, report.embedded) == (1, 0)
        assert not any(hit.document == "limits.md" for hit in app.retrieve("what event data cannot show", k=10))


async def test_the_async_door_opens_to_the_same_application(folder: Path) -> None:
    async with regista.open(folder) as app:
        answers = await asyncio.gather(*(app.ask("Who are the regular strikers?") for _ in range(3)))
    assert len({answer.answer for answer in answers}) == 1
