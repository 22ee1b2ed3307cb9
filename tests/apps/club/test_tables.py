import gzip
from pathlib import Path

import pytest

from club import commands
from club.football import checks, season, tables
from club.football.tables import COLUMNS


def test_the_shipped_figures_are_small_and_whole() -> None:
    figures = tables.read(tables.DATA)
    assert sum(file.stat().st_size for file in tables.DATA.iterdir()) < 2_000_000
    assert len(figures["game"]) == 380 and len(figures["team"]) == 20
    assert [row[:2] for row in figures["appearance"]] == [row[:2] for row in figures["player_match"]]


def test_writing_figures_twice_gives_the_same_bytes_as_those_shipped(tmp_path: Path) -> None:
    tables.write(tables.read(tables.DATA), tmp_path)
    for table in COLUMNS:
        written, shipped = ((folder / f"{table}.csv.gz") for folder in (tmp_path, tables.DATA))
        assert gzip.decompress(written.read_bytes()) == gzip.decompress(shipped.read_bytes())
    once = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    tables.write(tables.read(tmp_path), tmp_path)
    assert once == {file.name: file.read_bytes() for file in tmp_path.iterdir()}


def test_building_again_does_nothing_until_the_data_change(
    database: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = database.stat().st_ino
    commands.build()
    assert "up to date" in capsys.readouterr().out
    assert database.stat().st_ino == before

    def another(folder: Path) -> str:
        return "another"

    monkeypatch.setattr(tables, "digest", another)
    commands.build()
    assert database.stat().st_ino != before and tables.about(database)["digest"] == "another"
    monkeypatch.undo()
    commands.build()
    assert tables.about(database)["digest"] == tables.digest(tables.DATA)


def test_a_build_that_fails_leaves_the_old_database(database: Path) -> None:
    before = database.read_bytes()
    with pytest.raises(RuntimeError), tables.building(tables.read(tables.DATA), database):
        raise RuntimeError
    assert database.read_bytes() == before
    assert list(database.parent.iterdir()) == [database]


def test_tools_cannot_write(database: Path) -> None:
    with pytest.raises(tables.sqlite3.OperationalError, match="readonly"):
        tables.connect(database).execute("DELETE FROM player")


def test_other_columns_are_refused(tmp_path: Path) -> None:
    tables.write(tables.read(tables.DATA), tmp_path)
    (tmp_path / "team.csv.gz").write_bytes(gzip.compress(b"id,nickname\n1,Reds\n"))
    with pytest.raises(ValueError, match=r"team\.csv\.gz has other columns"):
        tables.read(tmp_path)


@pytest.mark.parametrize("content", [None, b"", b"not a zip"])
def test_a_file_that_is_no_archive_ends_in_one_clear_line(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "season.zip"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SystemExit, match="could not be read as a season of match events"):
        commands.import_matches(file)


def test_the_data_card_lists_a_score_that_its_events_contradict(archive: Path) -> None:
    source = season.Archive(archive)
    chosen = [match for match in source.matches() if match.gameweek == 4]
    measured = season.measure_some(archive, chosen)
    figures = tables.read(tables.DATA)
    home = measured[0].match.home.team_id
    measured[0].goals[home] += 1
    card = {check.what: check for check in checks.card(season.Season(figures, measured))}
    assert card["Scores"].passed is False and card["Scores"].detail.startswith("9 of 10 follow")
    assert card["Matches"].passed is False
    assert card["Coordinates"].passed and card["Team minutes"].passed and card["Names"].passed
