"""`regista feedback`, and what `regista trace` shows of it, over a real store."""

import json
from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from tests.surfaces.cli.conftest import Demo

from regista.core.nouns import Document, Evidence, Feedback, Json, Span
from regista.observe.recorder import Recorder
from regista.store import Database, feedback, traces
from regista.store.documents import Documents, Parsed
from regista.store.feedback import Kept, identity

A, B = "0a" * 16, "0b" * 16
SECOND = 10**9
NOON = 1_795_262_400 * SECOND
MEANT = Evidence(B, "question", 0, 11, "No, I meant")
STOPPED = Evidence(A, "answer", 3, 9, "x\x1b[2Jy")


def kept(kind: str, number: int, **fields: object) -> Kept:
    whole = {"trace": A, "source": "user", "made_ns": NOON + number * SECOND} | fields
    made = Feedback(kind, **whole)  # pyright: ignore[reportArgumentType]
    return Kept(identity(number), made, "default", "demo")


SAID = (
    kept("thumb", 1, value=1.0),
    kept("thumb", 2, value=-1.0, by="ann"),
    kept("score", 3, name="helpful", value=0.5),
    kept("label", 4, name="off\x1b[2Jtopic", source="reviewer"),
    kept("comment", 5, text="Too\nlong."),
    kept("preference", 6, other=B, side="a"),
    kept("signal", 7, source="gateway", name="correction", value=1.0, confidence=0.93, evidence=(MEANT,)),
    kept("signal", 8, source="gateway", name="rephrased", value=1.0, confidence=0.8, evidence=(MEANT,)),
    kept("signal", 9, source="gateway", name="length", value=4.0, trace="", session=A),
    kept("signal", 10, source="gateway", name="stopped_early", value=9.0, confidence=0.9, evidence=(STOPPED,)),
)


@pytest.fixture
def store(demo: Demo) -> Iterator[Database]:
    opened = demo.store()
    made = Recorder("demo", "v", "demo", "default").finish("ok")
    said = {A: "When do the under-15s train?", B: "No, I meant the under-13s"}
    with opened.transaction() as transaction:
        traces.write(
            transaction, [replace(made, id=id, started_ns=NOON, question=said[id], answer="Soon.") for id in said]
        )
        feedback.put(transaction, SAID)
    yield opened
    opened.close()


@pytest.mark.usefixtures("store")
def test_feedback_is_listed_with_its_question_and_what_it_rests_on(demo: Demo) -> None:
    listed = demo.regista("feedback")
    for shown in (
        *("+ thumb up", "- thumb down", "user ann", "= helpful 0.5", "# off␛[2Jtopic", "> better than 0b0b0b0b"),
        *("~ correction 93%", "question: »No, I meant« the under-13s", "»Too long.«", "answer: »x␛[2Jy«"),
    ):
        assert shown in listed, listed
    assert listed.count("When do the under-15s train?") == 8
    assert "rephrased" not in listed and "turns" not in listed and "\x1b" not in listed
    lines = [line for line in listed.splitlines() if "0a0a0a0a" in line]
    assert "stopped_early" in lines[0] and "thumb up" in lines[-1], "the newest comes first"


@pytest.mark.usefixtures("store")
def test_feedback_is_chosen_by_kind_source_and_what_is_shown(demo: Demo) -> None:
    assert "rephrased 80%" in demo.regista("feedback", "--signals", "all")
    assert "~ 4 turns" in demo.regista("feedback", "--signals", "all")
    assert [one["name"] for one in demo.json("feedback", "--source", "reviewer")] == ["off\x1b[2Jtopic"]
    assert [one["value"] for one in demo.json("feedback", "--kind", "thumb", "--limit", "1")] == [-1.0]
    (one,) = demo.json("feedback", "--kind", "signal", "--limit", "1")
    assert (one["question"], one["evidence"][0]["of"]) == ("When do the under-15s train?", "answer")


@pytest.mark.usefixtures("store")
def test_feedback_is_counted(demo: Demo) -> None:
    signals = demo.regista("feedback", "--by", "signal")
    assert "correction" in signals and "stopped_early" in signals and "thumb" not in signals
    given = demo.regista("feedback", "--by", "label")
    assert "thumb up" in given and "score helpful" in given and "correction" not in given
    (hour,) = [line for line in demo.regista("feedback", "--by", "hour").splitlines() if ":00" in line]
    assert hour.split()[-2:] == ["2", "6"], "signals, and what was given"
    assert {one["name"] for one in demo.json("feedback", "--by", "label")} >= {"up", "down", "helpful"}
    assert "No feedback" in demo.regista("feedback", "--by", "label", "--since", "2030-01-01")


@pytest.mark.usefixtures("store")
def test_a_trace_shows_what_is_thought_of_its_answer(demo: Demo) -> None:
    page = demo.regista("trace", A)
    assert "Feedback" in page and "- thumb down" in page and "»No, I meant« the under-13s" in page
    assert "rephrased" in page, "of one trace, all of it"
    assert "Feedback" not in demo.regista("trace", B)
    assert len(json.loads(demo.regista("trace", A, "--json"))["feedback"]) == 9


def test_without_any_it_says_how_there_comes_some(demo: Demo) -> None:
    assert "docs/feedback.md" in demo.regista("feedback")
    assert demo.json("feedback") == []
    assert "Example: regista feedback club" in demo.regista("feedback", "--help")


def rated(number: int, value: float, by: str) -> Kept:
    return kept("thumb", 1000 + number, value=value, by=by, trace=f"{number:032x}")


@pytest.mark.usefixtures("store")
def test_what_feedback_is_worth_is_measured(demo: Demo, store: Database) -> None:
    made = Recorder("demo", "v", "demo", "default").finish("ok")
    words = [1 + number * 7 % 37 for number in range(120)]
    answers = [
        replace(made, id=f"{number:032x}", started_ns=NOON + number, answer="word " * words[number])
        for number in range(120)
    ]
    said = [rated(n, 1.0, "kind") for n in range(20)] + [rated(n, -1.0, "strict") for n in range(20, 38)]
    said += [rated(38, 1.0, "strict"), rated(39, -1.0, "kind")]
    for n in range(40):
        better, worse = sorted((n, 80 + n), key=lambda number: -words[number])
        two = {"trace": f"{better:032x}", "other": f"{worse:032x}", "side": "a" if n % 5 else "b"}
        said.append(kept("preference", 2000 + n, **two))
    for n in range(20, 110):
        said.append(kept("signal", 3000 + n, source="gateway", name="wrong", trace=f"{n:032x}"))
    with store.transaction() as transaction:
        traces.write(transaction, answers)
        feedback.put(transaction, said)
    found = {one["name"]: one for one in demo.json("feedback", "--bias")}
    assert list(found) == ["leniency", "selection", "position", "length", "loop"]
    assert "fewer than two documents" in found["loop"]["why"]
    assert found["leniency"]["found"] and found["leniency"]["rows"]["kind"]["estimate"] > 0
    assert found["position"]["found"] and found["position"]["estimate"] == pytest.approx(33 / 41)
    assert found["length"]["found"] and found["length"]["estimate"] > 0
    assert found["selection"]["found"] and found["selection"]["estimate"] < 0, "the blamed were rated less"
    page = demo.regista("feedback", "--bias")
    assert page.count("! ") >= 4 and found["position"]["sentence"].split(" (")[0] in " ".join(page.split())


@pytest.mark.usefixtures("store")
def test_how_unevenly_documents_are_shown_is_measured_and_that_none_is_for_having_been_liked(
    demo: Demo, store: Database
) -> None:
    parsed = [Parsed(Document(f"{name}.md", name, "text", "text/markdown", name), ()) for name in "abcd"]
    Documents(store, "demo").commit([(one, "plain") for one in parsed], [], "")
    made = Recorder("demo", "v", "demo", "default").finish("ok")
    hits: list[list[Json]] = [
        [{"document": "a.md"}, {"document": "a.md"}],
        [{"document": "a.md"}, {"document": "b.md"}, {"document": "x"}],
    ]
    answers = [
        replace(
            made,
            id=f"{number:032x}",
            started_ns=NOON + number,
            spans=(Span("retrieve", "", -1, 0, 1, "", "", {"hits": hits[number % 10 == 0]}),),
        )
        for number in range(40)
    ]
    with store.transaction() as transaction:
        traces.write(transaction, answers)
        feedback.put(transaction, [rated(n, 1.0, "kind") for n in range(10)])
    (loop,) = (one for one in demo.json("feedback", "--bias") if one["name"] == "loop")
    assert loop["estimate"] == pytest.approx(0.705, abs=0.01) and not loop["found"]
    assert loop["rows"]["shown because of feedback"]["estimate"] == 0
    assert "Nothing here chooses by feedback what is shown." in loop["sentence"]


@pytest.mark.usefixtures("store")
def test_a_meter_with_too_little_to_measure_says_so(demo: Demo) -> None:
    found = {one["name"]: one for one in demo.json("feedback", "--bias", "--since", "2030-01-01")}
    assert all(one["why"] for one in found.values()), found
    assert demo.regista("feedback", "--bias", "--since", "2030-01-01").count("?") >= 4
