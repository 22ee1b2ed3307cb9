"""`regista check`: what it prints and how it ends."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from regista.surfaces.cli._run import run
from regista.surfaces.cli.new import make

Shown = Callable[..., str]


@pytest.fixture(autouse=True)
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return make(Path("harbour")).absolute()


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Shown:
    def shown(*arguments: str, status: int = 0) -> str:
        assert run(["check", *arguments]) == status
        return capsys.readouterr().out

    return shown


def test_a_whole_application_is_summed_up(shown: Shown) -> None:
    page = shown("harbour")
    assert "harbour is whole" in page
    assert "default = embedded/reader" in page
    assert "2, found by hybrid" in page
    assert "late_fee" in page
    assert "response: canary, secrets, pii" in page


def test_a_mistake_is_a_line_with_its_place_as_seen_from_here(shown: Shown, application: Path) -> None:
    (application / "prompts/answer.prompt").write_text("{{canary}}\n{{qestion}}\n")
    page = shown("harbour", status=1)
    assert "harbour/prompts/answer.prompt:2: There is no variable 'qestion'. Did you mean 'question'?" in page
    assert "✗ 1 mistake" in page


def test_names_in_brackets_are_printed_as_they_are(shown: Shown, application: Path) -> None:
    (application / "regista.toml").write_text("[app]\n")
    assert "There is no [models.default]." in shown("harbour", status=1)


def test_what_a_file_says_cannot_steer_the_terminal(shown: Shown, application: Path) -> None:
    (application / "prompts/answer.prompt").write_text("{{canary}}{{question}}{{\x1b[2J}}")
    assert "\x1b[2J" not in shown("harbour", status=1)


def test_mistakes_as_json(shown: Shown, application: Path) -> None:
    (application / "tools.py").write_text("x = 1\n(")
    page = json.loads(shown("harbour", "--json", status=1))
    assert page["ok"] is False
    assert [(m["file"], m["line"]) for m in page["mistakes"]] == [("tools.py", 2)]


def test_a_whole_application_as_json(shown: Shown) -> None:
    page = json.loads(shown("--json", "harbour"))
    assert (page["ok"], page["name"], page["documents"], page["tools"]) == (True, "harbour", 2, ["late_fee"])
    assert len(page["digest"]) == 16


def test_without_a_name_the_application_here_is_meant(
    shown: Shown, application: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(application)
    assert "harbour is whole" in shown()
    (application / "tools.py").write_text("(")
    assert shown(status=1).startswith("tools.py:1: ")
