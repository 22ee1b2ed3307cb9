"""`regista forget --user` as it is typed, and what `regista traces` and `regista check` say of users and of keeping."""

import json
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.surfaces.cli.test_traces import TRACE

from regista.core.user import kept
from regista.store import connect, retention
from regista.store.traces import write
from regista.surfaces.cli._run import run

MINE = replace(TRACE, user="customer-4711")
Shown = Callable[..., str]


@pytest.fixture(autouse=True)
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with one application that two users asked something."""
    folder = tmp_path / "apps" / "club"
    folder.mkdir(parents=True)
    (folder / "regista.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REGISTA_STORE", raising=False)
    other = replace(TRACE, id="1f" * 16, started_ns=TRACE.started_ns + 1, user=kept("x" * 70))
    url = f"sqlite://{folder / '.regista' / 'regista.db'}"
    with closing(connect(url)) as database, database.transaction() as transaction:
        write(transaction, [MINE, other])


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Shown:
    def shown(*words: str, status: int = 0) -> str:
        """What a command prints that ends so: on one of the two, as the case may be."""
        assert run(list(words)) == status
        said = capsys.readouterr()
        return said.out or said.err

    return shown


def test_the_requests_of_a_user_are_listed(shown: Shown) -> None:
    rows = json.loads(shown("traces", "--user", "customer-4711", "--json"))
    assert [(row["id"], row["user"]) for row in rows] == [("0f" * 16, "customer-4711")]
    assert len(json.loads(shown("traces", "--user", "x" * 70, "--json"))) == 1
    assert shown("traces", "--user", "nobody") == "No traces like that.\n"
    assert "user customer-4711" in shown("trace", "0f0f")
    assert "leave out" in shown("traces", "--user", "a", "--search", "six", status=1)
    assert "leave out" in shown("traces", "--user", "a", "--by", "hour", status=1)


def test_a_user_is_erased_only_when_it_is_meant_and_it_is_said_what_went(shown: Shown) -> None:
    told = shown("forget", "club", "--user", "customer-4711", status=1)
    assert "1 request of the user customer-4711. To delete them for good, add --yes" in told
    told = shown("forget", "--user", "customer-4711", "--yes")
    assert "Erased the user customer-4711 of the tenant default: 1 request." in told
    assert "traces" in told and "none is left" in told and "backups" in told
    assert json.loads(shown("traces", "--user", "customer-4711", "--json")) == []
    again = json.loads(shown("forget", "--user", "customer-4711", "--yes", "--json"))
    assert (again["traces"], again["verified"], again["forgotten"]) == (0, True, True)


def test_one_says_either_what_is_old_or_whose_it_is(shown: Shown) -> None:
    assert "Say what to forget" in shown("forget", "--before", "30d", "--user", "a", status=1)


def test_check_says_what_is_kept_and_what_was_deleted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "shop"
    (folder / "prompts").mkdir(parents=True)
    (folder / "prompts" / "answer.prompt").write_text("{{question}}\n")
    (folder / "regista.toml").write_text('[models.default]\nmodel = "echo/any"\n')
    assert run(["check", str(folder)]) == 0 and "all that is said, for ever" in capsys.readouterr().out
    observe = '[observe]\ncapture = "masked"\nkeep = "30d"\n'
    (folder / "regista.toml").write_text(f'[models.default]\nmodel = "echo/any"\n{observe}')
    assert run(["check", str(folder)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "with what is personal hidden, for 30d" in said and "deleted" not in said
    with closing(connect(f"sqlite://{folder / '.regista' / 'regista.db'}")) as database:
        retention.run(database, 30 * 86_400 * 10**9, time.time_ns())
    assert run(["check", str(folder)]) == 0
    assert "0 requests were deleted" in " ".join(capsys.readouterr().out.split())
    assert run(["check", str(folder), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["capture"], facts["keep"]) == ("masked", "30d")
