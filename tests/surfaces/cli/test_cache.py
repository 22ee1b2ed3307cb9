"""`regista cache`: what it says of caches, which threshold it finds, and what it refuses."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regista.store import caches, connect
from regista.store.caches import Calibration, Label
from regista.surfaces.cli._run import run

HASHED = "hashed-384-v1"
CAPITALS = (
    "Oslo Rome Paris Kyoto Lima Quito Accra Dakar Tunis Cairo Delhi Seoul Hanoi Perth Turin Milan Genoa Porto Faro"
)
Said = Callable[..., Any]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An application with both caches, whose questions are measured by hashes."""
    monkeypatch.setenv("REGISTA_MODELS", str(tmp_path))
    folder = tmp_path / "shop"
    (folder / "prompts").mkdir(parents=True)
    (folder / "prompts" / "answer.prompt").write_text('{{role "user"}}\n{{question}}\n')
    (folder / "regista.toml").write_text(
        '[models.default]\nmodel = "echo/any"\n[cache]\nexact = true\nsemantic = true\nfalse_hits = 0.2\n'
    )
    return folder


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """Runs `regista cache` and gives back its status and what it printed; as data where JSON is asked for."""

    def call(*arguments: str) -> Any:
        status = run(["cache", *arguments])
        out = capsys.readouterr().out
        return status, json.loads(out) if "--json" in arguments else " ".join(out.split())

    return call


def store_of(shop: Path) -> Any:
    return connect(f"sqlite://{shop / '.regista' / 'regista.db'}")


def write_pairs(folder: Path, *, wrong: int = 0) -> Path:
    rows = [
        {
            "id": f"{n}",
            "input": f"How far is the airport of {city} from the centre?",
            "other": f"How far is the airport from the centre of {city}?",
            "same": n >= wrong,
        }
        for n, city in enumerate(CAPITALS.split())
    ]
    rows.append(
        {"id": "apart", "input": "What are the top 5 sights?", "other": "What are the top 9 sights?", "same": False}
    )
    path = folder / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_cache_that_was_never_used_says_what_to_type(shop: Path, said: Said) -> None:
    status, text = said("stats", str(shop))
    assert status == 0 and "exact, semantic" in text and "epoch 0" in text
    assert not (shop / ".regista").exists()
    connect(f"sqlite://{shop / '.regista' / 'regista.db'}").close()
    assert "regista cache calibrate shop" in said("stats", str(shop))[1]


def test_labelled_pairs_give_a_threshold_that_holds(shop: Path, said: Said) -> None:
    status, found = said("calibrate", str(shop), "--pairs", str(write_pairs(shop)), "--json")
    assert status == 0 and found["holds"] and (found["labels"], found["apart"]) == (20, 1)
    (held,) = caches.calibrations(store_of(shop), "shop")
    assert held.threshold == found["choice"]["threshold"] and (held.embedder, held.bound) == (HASHED, 0.2)
    assert "from pairs.jsonl" in said("stats", str(shop))[1]


def test_a_dry_run_only_says_so(shop: Path, said: Said) -> None:
    status, text = said("calibrate", str(shop), "--pairs", str(write_pairs(shop)), "--dry-run")
    assert status == 0 and "would hold" in text
    assert caches.calibrations(store_of(shop), "shop") == []


def test_too_few_or_wrong_labels_change_nothing_and_say_what_is_missing(shop: Path, said: Said) -> None:
    status, text = said("calibrate", str(shop), "--pairs", str(write_pairs(shop)), "--bound", "0.01")
    assert status == 1 and "280 more labels" in text and "What held before still holds" in text
    status, found = said("calibrate", str(shop), "--pairs", str(write_pairs(shop, wrong=6)), "--json")
    assert status == 1 and found["choice"]["threshold"] is None
    assert caches.calibrations(store_of(shop), "shop") == []


def test_pairs_of_one_question_count_once(shop: Path, said: Said) -> None:
    path = write_pairs(shop)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**row, "id": f"{row['id']} {n}"}) + "\n" for n in range(3) for row in rows))
    _, found = said("calibrate", str(shop), "--pairs", str(path), "--bound", "0.01", "--json")
    assert found["labels"] == 60 and found["choice"]["missing"] == 280


def test_the_sample_is_what_is_calibrated_by_without_a_file(shop: Path, said: Said) -> None:
    rows = [Label(bytes([n]) * 16, HASHED, n, 0.9, True, "a", "b") for n in range(30)]
    caches.learn(store_of(shop), "shop", rows)
    status, found = said("calibrate", str(shop), "--json")
    assert status == 0 and (found["source"], found["labels"]) == ("sample", 30)


def test_stats_tell_what_was_measured_and_why_it_was_switched_off(shop: Path, said: Said) -> None:
    store, now = store_of(shop), time.time_ns()
    made = Calibration(HASHED, 0.9, 0.01, 0.05, 300, 0, "sample", now - 10)
    caches.calibrate(store, "shop", made)
    rows = [Label(bytes([n]) * 16, HASHED, now + n, 0.95, n > 4, "a", "b") for n in range(20)]
    caches.learn(store, "shop", rows)
    caches.switch_off(store, "shop", made, "5 of 20 sampled hits were false")
    _, text = said("stats", str(shop))
    assert "5 of 20 sampled" in text and "switched off" in text and "25.0%" in text
    _, found = said("stats", str(shop), "--json")
    assert found["calibrations"][0]["measured"]["wrong"] == 5 and found["labels"][HASHED] == {"labels": 20, "wrong": 5}


def test_clearing_begins_another_epoch(shop: Path, said: Said) -> None:
    assert "epoch 1" in said("clear", str(shop))[1]
    assert said("stats", str(shop), "--json")[1]["epoch"] == 1


def test_an_application_without_a_semantic_cache_cannot_be_calibrated(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "regista.toml").write_text('[models.default]\nmodel = "echo/any"\n')
    assert run(["cache", "calibrate", str(shop)]) == 1
    assert "semantic = true" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ('{"id": "1", "input": "a", "same": true}', "has no reference 'other'"),
        ('{"id": "1", "input": "a", "other": "b", "same": "perhaps"}', "same"),
    ],
)
def test_a_file_that_holds_no_pairs_is_refused_with_its_line(
    shop: Path, capsys: pytest.CaptureFixture[str], row: str, complaint: str
) -> None:
    (shop / "pairs.jsonl").write_text(row + "\n")
    assert run(["cache", "calibrate", str(shop), "--pairs", str(shop / "pairs.jsonl")]) == 1
    error = capsys.readouterr().err
    assert "line 1" in error and complaint in error


@pytest.mark.parametrize("command", ["stats", "calibrate", "clear"])
def test_help_shows_an_example(said: Said, command: str) -> None:
    status, text = said(command, "--help")
    assert status == 0 and f"Example: regista cache {command} club" in text
