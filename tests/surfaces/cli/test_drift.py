import json
import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.observe.test_drift import some
from tests.store.test_alarms import alarm

from regista.app import drifting
from regista.core.nouns import Feedback, FeedbackKind, Trace
from regista.store import connect, feedback
from regista.store.alarms import close, open_alarm
from regista.store.feedback import Kept
from regista.store.traces import write
from regista.surfaces.cli._run import run

NOW = 50 * 3_600
"""Seconds ago at which the older traces are put; the newer ones are an hour old."""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shop"
    (folder / "prompts").mkdir(parents=True)
    (folder / "regista.toml").write_text('[app]\nname = "shop"\n[models.default]\nmodel = "echo/any"\n')
    (folder / "prompts" / "answer.prompt").write_text('{{role "user"}}\n{{question}}\n')
    monkeypatch.delenv("REGISTA_STORE", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    return folder


def keep(folder: Path, traces: list[Trace], ago_s: int) -> None:
    now = time.time_ns()
    store = connect(f"sqlite://{folder / '.regista' / 'regista.db'}")
    with store.transaction() as transaction:
        write(transaction, [replace(one, started_ns=now - ago_s * 10**9 + n) for n, one in enumerate(traces)])
    store.close()


def opinion(trace: str, made_ns: int, kind: FeedbackKind, value: float | None, name: str = "") -> Kept:
    given = Feedback(kind, "gateway" if kind == "signal" else "user", made_ns, trace, name=name, value=value)
    return Kept(feedback.identity(trace, kind, name), given, "t", "shop")


def test_a_shift_is_told_with_examples_and_an_exit_status(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep(shop, some(200, 1), NOW)
    keep(shop, some(100, 2, 1_000, question="Where is my parcel? " * 10), 3_600)
    assert run(["drift", str(shop)]) == 1
    out = capsys.readouterr().out
    assert "▲ characters of the question" in out and "Where is my parcel?" in out
    assert max(map(len, out.splitlines())) <= 80
    assert run(["drift", str(shop), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["before"], told["now"]) == (200, 100)
    assert {one["name"] for one in told["features"] if one["shifted"]} == {"characters of the question"}


def test_without_a_shift_the_status_is_0(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep(shop, some(200, 3), NOW)
    keep(shop, some(100, 4, 1_000), 3_600)
    assert run(["drift", str(shop)]) == 0
    assert "▲" not in capsys.readouterr().out


def test_too_few_traces_are_an_error_that_says_how_many_there_are(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(shop, some(200, 5), NOW)
    assert run(["drift", str(shop)]) == 2
    assert "shop has 0 traces since" in capsys.readouterr().err


def test_failures_times_and_cost_are_those_of_all_traffic_and_scores_are_among_the_features(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = some(300, 7)
    now = [replace(one, status="error" if n % 5 == 0 else "ok") for n, one in enumerate(some(150, 8, 1_000))]
    keep(shop, before, NOW)
    keep(shop, now, 3_600)
    ago = {True: time.time_ns() - NOW * 10**9, False: time.time_ns() - 3_600 * 10**9}
    given = [
        *(opinion(one.id, ago[True], "thumb", 1.0 if n % 10 else -1.0) for n, one in enumerate(before[:50])),
        *(opinion(one.id, ago[False], "thumb", 1.0 if n % 2 else -1.0) for n, one in enumerate(now[:50])),
        *(opinion(one.id, ago[True], "score", 0.8 + n % 7 / 50, "useful") for n, one in enumerate(before[:50])),
        *(opinion(one.id, ago[False], "score", 0.3 + n % 7 / 50, "useful") for n, one in enumerate(now[:50])),
        *(opinion(one.id, ago[False], "signal", None, "refusal") for one in now[:40]),
    ]
    store = connect(f"sqlite://{shop / '.regista' / 'regista.db'}")
    with store.transaction() as transaction:
        feedback.put(transaction, given)
    store.close()
    assert run(["drift", str(shop), "--sampled", "40", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    by = {one["name"]: one for one in told["features"]}
    assert by["ms to the end"]["counts"] == [300, 150] and by["ms to the end"]["of_all"]
    assert by["failed"]["shifted"] and by["failed"]["counts"] == [300, 150]
    failed = {one.id for one in now if one.status == "error"}
    assert set(by["failed"]["examples"]) <= failed and by["failed"]["examples"]
    assert by["thumb up"]["more"] == "not thumb up: 10% → 50%" and by["thumb up"]["shifted"]
    assert by["score: useful"]["shifted"] and by["signal: refusal"]["now"] == "27%"
    assert "no embedder" in told["not_embedded"]


def test_what_questions_mean_is_compared_where_an_embedder_knows_it(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The one that every machine has, taken at its word for once.
    monkeypatch.delitem(drifting._MEANINGLESS, "hashed")  # pyright: ignore[reportPrivateUsage]
    (shop / "documents").mkdir()
    with (shop / "regista.toml").open("a") as file:
        file.write('[context]\nembedder = "hashed"\n')
    keep(shop, [replace(one, question=f"Who rows {n}?") for n, one in enumerate(some(100, 9))], NOW)
    keep(shop, [replace(one, question=f"A parcel {n}?") for n, one in enumerate(some(60, 10, 1_000))], 3_600)
    assert run(["drift", str(shop), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    (meaning,) = (one for one in told["features"] if one["measure"] == "auc")
    assert meaning["shifted"] and meaning["effect"] > 0.9 and len(meaning["examples"]) == 3
    assert told["not_embedded"] == ""
    monkeypatch.undo()
    assert run(["drift", str(shop), "--json"]) == 0
    assert "knows letters and no meaning" in json.loads(capsys.readouterr().out)["not_embedded"]
    assert run(["drift", str(shop), "--json", "--no-embed"]) == 0
    assert json.loads(capsys.readouterr().out)["not_embedded"] == "--no-embed"


def test_alarms_that_were_raised_are_listed_and_an_open_one_makes_the_status_1(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["drift", str(shop), "--alarms"]) == 0
    assert "No alarm since 24h" in capsys.readouterr().out
    store = connect(f"sqlite://{shop / '.regista' / 'regista.db'}")
    raised = alarm(opened_ns=time.time_ns())
    open_alarm(store, raised)
    assert run(["drift", str(shop), "--alarms"]) == 1
    assert "▲" in (out := capsys.readouterr().out) and "ms to the end" in out
    close(store, raised.id, time.time_ns())
    store.close()
    assert run(["drift", str(shop), "--alarms", "--json"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == ["ms to the end"]
