import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.store.test_ledger import call, enter, trace

from regista.store import connect
from regista.surfaces.cli._run import run

Shown = Callable[..., str]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "regista.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("REGISTA_STORE", raising=False)
    return tmp_path


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Shown:
    def shown(*arguments: str, status: int = 0) -> str:
        assert run(["ledger", *arguments]) == status
        captured = capsys.readouterr()
        return captured.err if status else captured.out

    return shown


@pytest.fixture
def spent(place: Path) -> None:
    store = connect(f"sqlite://{place / '.regista' / 'regista.db'}")
    enter(store, trace([call(cost=2_500_000_000), call("mini", 4_000, exact=False)]))
    enter(store, trace([call("local", None)], key="app"), trace([], cached="hit"))
    store.close()


@pytest.mark.usefixtures("spent")
def test_what_was_spent_is_told_with_how_surely_it_is_known(shown: Shown) -> None:
    header, gpt, mini, local, total, *notes = shown().splitlines()
    assert header.split() == ["model", "calls", "input", "output", "exact", "estimated"]
    assert gpt.split() == ["openai/gpt", "1", "5", "2", "$2.50", "–"]
    assert mini.split() == ["openai/mini", "1", "5", "2", "–", "≈", "$0.0000040"]
    assert local.split() == ["openai/local", "1", "5", "2", "?", "–"]
    assert total.split() == ["all", "3", "15", "6", "$2.50", "+", "?", "≈", "$0.0000040"]
    assert [note.split()[0] for note in notes] == ["1", "1", "1"]
    assert '[prices."provider/model"]' in notes[1]
    assert notes[2] == "1 answer came from a cache and cost nothing."


@pytest.mark.usefixtures("spent")
def test_as_json_money_is_in_whole_nano_dollars(shown: Shown) -> None:
    page = json.loads(shown("--by", "key", "--json"))
    assert (page["by"], page["from_caches"]) == ("key", 1)
    assert [(one["name"], one["exact_nano"], one["estimated_nano"], one["unpriced"]) for one in page["sums"]] == [
        ("web", 2_500_000_000, 4_000, 0),
        ("app", 0, 0, 1),
    ]


@pytest.mark.usefixtures("spent")
@pytest.mark.parametrize(
    ("since", "calls"), [("2026-11-21", 3), ("2026-11-21T12:00:00+00:00", 3), ("2026-11-22", 0), ("99999d", 3)]
)
def test_it_begins_when_it_is_asked_to(shown: Shown, since: str, calls: int) -> None:
    page = json.loads(shown("--since", since, "--json"))
    assert sum(one["calls"] for one in page["sums"]) == calls


def test_without_calls_it_says_what_makes_some(shown: Shown, place: Path) -> None:
    assert "regista ask" in shown()
    assert not (place / ".regista").exists()


def test_a_time_that_is_none_is_refused_with_those_that_are(shown: Shown) -> None:
    assert "'24h', '7d'" in shown("--since", "yesterday", status=1)
