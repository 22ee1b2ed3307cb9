import json
import sys
from pathlib import Path

import pytest
from tests.observe.test_drift import some
from tests.store.test_parquet import rows
from tests.surfaces.cli.test_drift import keep, shop

from regista.app.days import PLACES, places, unreached
from regista.store.parquet import count, files
from regista.surfaces.cli._run import run

__all__ = ["shop"]
DAYS = 2 * 86_400


def test_days_that_are_over_are_written_once(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep(shop, some(30, 1), DAYS)
    keep(shop, some(5, 2, 1_000), 0)
    assert run(["data", "export", str(shop), "--json"]) == 0
    (day,) = json.loads(capsys.readouterr().out)
    assert day["traces"] == 30 and Path(day["path"]).parent == shop / ".regista" / "days"
    assert run(["data", "export", str(shop)]) == 0
    assert "There is no day to write" in capsys.readouterr().out
    assert run(["data", "export", str(shop), "--again"]) == 0
    assert "30 traces" in capsys.readouterr().out


def test_they_go_where_the_application_says_or_the_command(shop: Path, tmp_path: Path) -> None:
    with (shop / "regista.toml").open("a") as file:
        file.write('[observe]\nparquet = "days"\n')
    keep(shop, some(3, 3), DAYS)
    for arguments in ([], ["--to", str(tmp_path / "elsewhere")]):
        assert run(["data", "export", str(shop), *arguments]) == 0
    assert [count(path) for folder in (shop / "days", tmp_path / "elsewhere") for path in files(folder)] == [3, 3]
    assert places(shop) == [shop / "days", tmp_path / "elsewhere"], "what is to be forgotten is found in both"


def test_days_are_not_written_where_a_disk_is_not_mounted(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = tmp_path / "disk"
    keep(shop, some(3, 6), DAYS)
    command = ["data", "export", str(shop), "--to", str(disk)]
    assert run(command) == 0
    disk.rename(tmp_path / "unmounted")
    disk.mkdir()  # what it is mounted on
    assert run(command) == 1 and not list(disk.iterdir())
    assert f"Days were written to {disk}, which is not there" in capsys.readouterr().err
    disk.rmdir()
    (tmp_path / "unmounted").rename(disk)
    assert run(command) == 0
    (shop / PLACES).write_text("")
    disk.rename(tmp_path / "gone for good")
    assert run(command) == 0 and len(files(disk)) == 1


def test_days_below_the_application_are_found_again_when_its_folder_is_moved(shop: Path) -> None:
    keep(shop, some(3, 7), DAYS)
    assert run(["data", "export", str(shop), "--to", str(shop / "days")]) == 0
    moved = shop.rename(shop.with_name("moved"))
    assert moved / "days" in places(moved) and unreached(moved) == []


def test_personal_data_is_hidden_where_that_is_asked_for(shop: Path) -> None:
    keep(shop, some(3, 4, question="Write to ann@example.org"), DAYS)
    for mask in ([], ["--mask"]):
        assert run(["data", "export", str(shop), "--again", *mask]) == 0
        (path,) = files(shop / ".regista" / "days")
        said = [row["question"] for row in rows(path)]
        assert ("ann@example.org" in "".join(said)) is not bool(mask)


def test_without_the_extra_it_is_said_what_to_install(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(shop, some(3, 5), DAYS)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert run(["data", "export", str(shop)]) == 1
    assert "pip install 'regista[sql]'" in capsys.readouterr().err
