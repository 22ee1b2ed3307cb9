import gzip
import zipfile
from pathlib import Path

import msgspec
import pytest

from club import commands
from club.football import checks, season, tables
from club.football.tables import COLUMNS

SHIPPED = tables.DATA


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


def test_an_import_counts_in_processes_exports_and_fills_the_tables(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tables, "DATA", tmp_path / "data")
    monkeypatch.setattr(tables, "DATABASE", tmp_path / "club.db")
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(tmp_path / "few.zip", "w") as few:
        for name in ("matches_England.json", "players.json", "teams.json"):
            content = whole.read(name)
            if name.startswith("matches"):
                matches = [match for match in msgspec.json.decode(content) if match["gameweek"] == 1]
                content = msgspec.json.encode(matches)
                for match in matches:
                    few.writestr(f"events/{match['wyId']}.json", whole.read(f"events/{match['wyId']}.json"))
            few.writestr(name, content)
    commands.import_matches(tmp_path / "few.zip", export=True)
    printed = " ".join(capsys.readouterr().out.split())
    assert "10 of 380" in printed and "too few matches" in printed
    assert tables.about(tables.DATABASE)["source"] == "few.zip"
    found, shipped = tables.read(tmp_path / "data"), tables.read(SHIPPED)
    games = {row[0] for row in found["game"]}
    assert len(games) == 10 and found["game"] == [row for row in shipped["game"] if row[0] in games]
    assert found["appearance"] == [row for row in shipped["appearance"] if row[0] in games]
    commands.build()
    assert "an import of few.zip" in " ".join(capsys.readouterr().out.split())


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
