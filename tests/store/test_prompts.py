import pytest

from regista.store import Database
from regista.store.prompts import Served, keep, served, text_of


def test_what_a_variant_is_served_with_is_kept_once(database: Database) -> None:
    texts = {"answer": ("d1", "Be brief."), "other": ("d2", "Be loud.\0")}
    keep(database, "shop", ("v1", "base"), texts, "answer", 5)
    keep(database, "shop", ("v1", "base"), texts, "answer", 9)
    keep(database, "shop", ("v2", "loud"), {"answer": ("d3", "Be long."), "other": ("d2", "Be loud.\0")}, "other", 7)
    assert served(database, "shop", "answer") == [
        Served("answer", "v2", "d3", "loud", False, 7),
        Served("answer", "v1", "d1", "base", True, 5),
    ]
    assert len(served(database, "shop")) == 4 and served(database, "elsewhere") == []
    assert [text_of(database, digest) for digest in ("d1", "d2", "d9")] == ["Be brief.", "Be loud.\0", None]


@pytest.mark.parametrize("name", ["answer", "x" * 200])
def test_one_text_of_two_applications_is_kept_for_both(database: Database, name: str) -> None:
    for application in ("shop", "club"):
        keep(database, application, ("v1", "base"), {name: ("d1", "Be brief.")}, name, 1)
    assert len(served(database, "shop")) == len(served(database, "club")) == 1
