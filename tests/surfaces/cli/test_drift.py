import json
import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.observe.test_drift import some

from regista.core.nouns import Trace
from regista.store import connect
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
