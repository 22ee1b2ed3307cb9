import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.store.test_rollups import NOON, trace

from regista.data.adding import add_one
from regista.data.dataset import FOLDER, versions
from regista.data.from_traces import example_of
from regista.store import connect
from regista.store.traces import write
from regista.surfaces.cli._run import run

Shown = Callable[..., str]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An application with six traces, of which two failed."""
    folder = tmp_path / "shop"
    (folder / "prompts").mkdir(parents=True)
    (folder / "regista.toml").write_text('[app]\nname = "shop"\n[models.default]\nmodel = "echo/any"\n')
    (folder / "prompts" / "answer.prompt").write_text('{{role "user"}}\n{{question}}\n')
    monkeypatch.delenv("REGISTA_STORE", raising=False)
    monkeypatch.chdir(folder)
    store = connect(f"sqlite://{folder / '.regista' / 'regista.db'}")
    with store.transaction() as transaction:
        write(
            transaction,
            [
                trace(n + 1, NOON + n, question=f"Where is {n}, jo@example.org?", status="error" if n % 3 else "ok")
                for n in range(3)
            ],
        )
    store.close()
    return folder


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Shown:
    def shown(*arguments: str, status: int = 0) -> str:
        assert run(["data", *arguments]) == status
        captured = capsys.readouterr()
        return captured.err if status else captured.out

    return shown


def test_traces_become_a_dataset_that_says_where_it_comes_from(shop: Path, shown: Shown) -> None:
    told = json.loads(shown("from-traces", "failures", "--status", "error", "--json"))
    assert (told["examples"], told["masked"], told["filters"]["status"]) == (2, {"email": 2}, "error")
    lines = Path(told["path"]).read_text().splitlines()
    assert [json.loads(line)["input"] for line in lines] == ["Where is 1, [EMAIL]?", "Where is 2, [EMAIL]?"]
    assert "failures" in shown("list") and told["version"][:8] in shown("list")
    page = shown("show", "failures", "--first", "1")
    assert "2 examples" in page and "2 email" in page and "Where is 1, [EMAIL]?" in page and "Where is 2" not in page


def test_what_is_not_masked_says_so(shop: Path, shown: Shown) -> None:
    assert "not masked" in shown("from-traces", "all", "--no-mask")
    assert "jo@example.org" in shown("show", "all")


def test_a_suite_tries_the_application_on_it(shop: Path, shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(shown("from-traces", "asked", "--json"))
    (shop / "evals").mkdir(exist_ok=True)
    suite = f'cases = "datasets/asked/{told["version"]}.jsonl"\n'
    (shop / "evals" / "asked.toml").write_text(suite + '[scorers.exact]\nscorer = "exact"\nreference = "output"\n')
    assert run(["eval", "asked", "--json"]) == 0
    assert '"cases": 3' in capsys.readouterr().out


def test_without_traces_it_says_what_to_type(shop: Path, shown: Shown) -> None:
    assert "regista traces shop" in shown("from-traces", "none", "--model", "nobody", status=1)
    assert "regista data from-traces first shop" in shown("list")


def test_traces_are_added_to_the_newest_version(shop: Path, shown: Shown) -> None:
    first = json.loads(shown("from-traces", "all", "--status", "ok", "--json"))
    told = json.loads(shown("from-traces", "all", "--status", "error", "--add", "--json"))
    assert (told["examples"], told["parent"], told["masked"]) == (3, first["version"], {"email": 2})
    assert told["filters"]["added"] == 2 and told["filters"]["status"] == "error"


def test_what_was_added_one_by_one_is_in_a_version_before_the_next_command_s(shop: Path, shown: Shown) -> None:
    for n, command in enumerate(
        (["list"], ["show", "all"], ["from-traces", "all"], ["from-traces", "all", "--add"]), 7
    ):
        add_one(shop, "all", example_of(trace(n, NOON + n, question=f"Why {n}?")), (), "shop")
        shown(*command, "--json")
        assert not (shop / FOLDER / "all" / "pending").exists()
    found = versions(shop, "all")
    assert [("added" in one.filters, one.examples) for one in found] == [
        (True, 4),
        (True, 4),
        (False, 3),
        (True, 3),
        (True, 2),
        (True, 1),
    ]


def test_traces_are_chosen_by_the_length_of_their_questions(shop: Path, shown: Shown) -> None:
    length = len("Where is 0, jo@example.org?")
    assert json.loads(shown("from-traces", "some", "--length", f"{length}-{length + 1}", "--json"))["examples"] == 3
    assert json.loads(shown("from-traces", "few", "--length", f"{length}-", "--limit", "2", "--json"))["examples"] == 2
    assert "No trace" in shown("from-traces", "none", "--length", f"0-{length}", status=1)
    assert "'80-400'" in shown("from-traces", "none", "--length", "long", status=1)
