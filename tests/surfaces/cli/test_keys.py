import json
from collections.abc import Callable
from pathlib import Path

import pytest

from regista.store import connect
from regista.store.keys import Keyring
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
        assert run(["keys", *arguments]) == status
        captured = capsys.readouterr()
        return captured.err if status else captured.out

    return shown


async def test_what_add_prints_is_the_key_and_nothing_else(shown: Shown, place: Path) -> None:
    token = shown("add", "web", "--tenant", "acme", "--days", "30").removesuffix("\n")
    key = await Keyring(connect(f"sqlite://{place / '.regista' / 'regista.db'}")).check(token)
    assert (key.name, key.tenant) == ("web", "acme")


def test_the_list_shows_how_keys_start_and_stand(shown: Shown) -> None:
    token = shown("add", "web").strip()
    shown("add", "ops", "--tenant", "staff")
    shown("revoke", "ops")
    header, web, ops = shown("list").splitlines()
    assert header.split() == ["name", "key", "tenant", "state", "made", "ends"]
    assert web.split()[:4] == ["web", f"{token[:9]}…", "default", "active"]
    assert ops.split()[2:4] == ["staff", "revoked"]
    assert token not in web


def test_the_list_as_json_holds_no_key(shown: Shown) -> None:
    token = shown("add", "web").strip()
    page = shown("list", "--json")
    (key,) = json.loads(page)
    assert (key["name"], key["state"], key["expires_ns"]) == ("web", "active", None)
    assert token[9:] not in page


def test_without_keys_the_list_says_what_that_means(shown: Shown, place: Path) -> None:
    assert "has no keys" in shown("list")
    assert shown("list", "--json") == "[]\n"
    assert not (place / ".regista").exists()


def test_a_key_is_revoked_by_its_start(shown: Shown) -> None:
    token = shown("add", "web").strip()
    assert shown("revoke", token[:9]) == f"Revoked: web ({token[:9]}…).\n"
    assert "No key in use" in shown("revoke", "web", status=1)


def test_mistakes_end_with_a_status_and_a_line_to_type(shown: Shown) -> None:
    shown("add", "web")
    assert "regista keys revoke web" in shown("add", "web", status=1)
    assert "may last" in shown("add", "api", "--days", "-1", status=1)


def test_models_limits_and_rights_are_kept_and_shown(shown: Shown) -> None:
    shown("add", "web", "--models", "club, openai/*", "--limit", "60 requests/minute", "--limit", "$5/month")
    shown("add", "ops", "--admin")
    header, web, more, ops, *_ = shown("list").splitlines()
    assert header.split() == ["name", "key", "tenant", "state", "may", "ask", "used"]
    assert web.split()[4:] == ["club,", "openai/*", "0", "of", "60", "requests/minute"]
    assert more.split() == ["$0", "of", "$5/month"]
    assert ops.split()[4:6] == ["everything,", "and"]
    first, second = json.loads(shown("list", "--json"))
    assert first["models"] == ["club", "openai/*"]
    assert [(one["limit"], one["used"], one["of"]) for one in first["limits"]] == [
        ("60 requests/minute", 0, 60),
        ("$5/month", 0, 5_000_000_000),
    ]
    assert (second["admin"], second["limits"]) == (True, [])


def test_a_limit_that_is_none_makes_no_key(shown: Shown) -> None:
    assert "'60 requests/minute'" in shown("add", "web", "--limit", "lots", status=1)
    assert "has no keys" in shown("list")
