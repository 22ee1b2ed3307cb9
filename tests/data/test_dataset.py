from pathlib import Path

import pytest
from msgspec.structs import replace

from regista.core.errors import ConfigurationError, NotFoundError, UnknownNameError
from regista.data.dataset import FOLDER, Example, Lineage, find, keep, path_of, read, versions
from regista.evaluate.cases import read_cases

LINEAGE = Lineage("failures", "", "shop", 1, 0, {"status": "error"}, {"asked again": 2}, {})


def example(n: int) -> Example:
    return Example(f"{n:016x}", f"Question {n}?", "Answer.", f"{n:032x}", "v1", "shop", "error", n)


def test_a_version_is_its_content_and_is_written_once(tmp_path: Path) -> None:
    first = keep(tmp_path, [example(1), example(2)], LINEAGE)
    again = keep(tmp_path, [example(1), example(2)], replace(LINEAGE, created_ns=9))
    other = keep(tmp_path, [example(1)], replace(LINEAGE, created_ns=9))
    assert again == first and first.examples == 2 and other.version != first.version
    assert list(read(tmp_path, first)) == [example(1), example(2)]
    assert versions(tmp_path) == [other, first] == versions(tmp_path, "failures")
    assert not [file for file in (tmp_path / FOLDER / "failures").iterdir() if file.name.startswith(".")]


def test_a_version_is_found_by_the_beginning_of_its_name(tmp_path: Path) -> None:
    made = [keep(tmp_path, [example(n)], replace(LINEAGE, created_ns=n)) for n in range(1, 4)]
    assert find(tmp_path, "failures") == made[-1]
    assert find(tmp_path, "failures", made[0].version[:10]) == made[0]
    with pytest.raises(NotFoundError, match=made[1].version[:8]):
        find(tmp_path, "failures", "zz")
    with pytest.raises(UnknownNameError, match="failures"):
        find(tmp_path, "failure")


def test_a_file_that_is_gone_or_was_changed_is_told_as_such(tmp_path: Path) -> None:
    made = keep(tmp_path, [example(1)], LINEAGE)
    path_of(tmp_path, made).write_text('{"id": 1}\n')
    with pytest.raises(ConfigurationError, match="no file of examples"):
        list(read(tmp_path, made))
    path_of(tmp_path, made).unlink()
    with pytest.raises(NotFoundError, match=r"is gone.*\.json"):
        list(read(tmp_path, made))


def test_a_suite_reads_it_as_cases(tmp_path: Path) -> None:
    made = keep(tmp_path, [example(1)], LINEAGE)
    (case,) = read_cases(path_of(tmp_path, made))
    assert (case.id, case.input[0].text, case.references["output"]) == (f"{1:016x}", "Question 1?", "Answer.")


@pytest.mark.parametrize("name", ["", "../up", "A", "a/b", "-a", "x" * 65])
def test_a_name_that_is_no_folder_s_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no name of a dataset"):
        keep(tmp_path, [example(1)], replace(LINEAGE, name=name))


def test_no_examples_and_a_broken_lineage_are_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no examples"):
        keep(tmp_path, [], LINEAGE)
    made = keep(tmp_path, [example(1)], LINEAGE)
    (tmp_path / FOLDER / "failures" / f"{made.version}.json").write_text("{")
    with pytest.raises(ConfigurationError, match="no lineage"):
        versions(tmp_path)
