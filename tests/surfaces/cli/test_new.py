"""`regista new`: what it makes is whole, and it never writes over anything."""

from importlib.resources import files
from pathlib import Path

import pytest

from regista.app.folder import read
from regista.core.errors import ConfigurationError
from regista.surfaces.cli._run import run
from regista.surfaces.cli.new import make


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def test_a_new_application_is_whole_and_needs_no_key(place: Path) -> None:
    folder = read(make(place / "harbour"))
    assert folder.name == "harbour"
    assert [model.model for model in folder.settings.models.values()] == ["embedded/reader"]
    assert [tool.name for tool in folder.tools] == ["late_fee"]


def test_the_template_is_itself_a_whole_application() -> None:
    assert read(Path(str(files("regista.app") / "template"))).name == "my-app"


def test_a_copy_bears_its_own_name_everywhere_and_is_the_same_variant(place: Path) -> None:
    one, two = make(place / "one"), make(place / "two")
    assert not any("my-app" in path.read_text() for path in one.rglob("*") if path.is_file())
    assert read(one).digest == read(two).digest


def test_its_tool_answers() -> None:
    source = (files("regista.app") / "template" / "tools.py").read_text()
    module: dict[str, object] = {}
    exec(source, module)
    late_fee = module["late_fee"]
    assert callable(late_fee)
    assert late_fee(9) == "A book that is 9 days late costs 1.80 euros."


def test_the_next_commands_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["new", "apps/harbour"]) == 0
    first, *commands = capsys.readouterr().out.splitlines()
    assert first == "✓ Made apps/harbour. What next:"
    assert [command.split()[:3] for command in commands] == [
        ["regista", "check", "apps/harbour"],
        ["regista", "ask", "apps/harbour"],
        ["regista", "up", "apps/harbour"],
    ]


@pytest.mark.parametrize(
    ("name", "advice"),
    [("My_App", "regista new my-app"), ("9lives", "regista new lives"), ("a b", "new a-b"), ("é", "new club")],
)
def test_a_name_that_cannot_be_is_answered_with_one_that_can(name: str, advice: str) -> None:
    with pytest.raises(ConfigurationError, match=advice):
        make(Path(name))


def test_nothing_is_written_over(place: Path) -> None:
    (place / "club").mkdir()
    (place / "club/notes.txt").write_text("mine")
    (place / "file").write_text("mine")
    for name in ("club", "file"):
        with pytest.raises(ConfigurationError, match="is there already"):
            make(Path(name))
    assert [path.name for path in (place / "club").iterdir()] == ["notes.txt"]


def test_an_empty_folder_may_be_filled(place: Path) -> None:
    (place / "club").mkdir()
    assert (make(Path("club")) / "regista.toml").is_file()


def test_a_place_that_cannot_be_written_is_said(place: Path) -> None:
    (place / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        make(Path("file/club"))
