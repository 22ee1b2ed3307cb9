"""The commands over a PostgreSQL: REGISTA_STORE is all that is other."""

import pytest
from tests.surfaces.cli.conftest import Demo, said_back

pytest.importorskip("numpy")


@pytest.fixture
def demo(demo: Demo, postgres: str, monkeypatch: pytest.MonkeyPatch) -> Demo:
    monkeypatch.setenv("REGISTA_STORE", postgres)
    return demo


def test_a_suite_is_run_once_and_its_report_is_shown_again(demo: Demo) -> None:
    demo.suite(said_back(30, slices={"kind": "echo"}, critical=True))
    first = demo.json("eval", "s")
    assert (first["estimates"][0]["mean"], first["estimates"][0]["ok"]) == (1.0, 30)
    assert demo.json("eval", "s") == first
    again = demo.json("eval", "s", "--fresh")
    assert again["started_ns"] > first["started_ns"]
    assert not (demo.folder / ".regista" / "regista.db").exists()


def test_a_key_is_made_listed_and_revoked(demo: Demo) -> None:
    assert "rk-" in demo.regista("keys", "add", "web")
    assert demo.json("keys", "list")[0]["name"] == "web"
    demo.regista("keys", "revoke", "web")
    assert demo.json("keys", "list")[0]["state"] == "revoked"


def test_documents_are_taken_in_and_found_by_words_and_by_vectors(demo: Demo) -> None:
    demo.write({"documents/tea.md": "# Tea\n\nThe green tea is kept on the upper shelf.\n"})
    demo.write({"regista.toml": (demo.folder / "regista.toml").read_text() + '[context]\nembedder = "hashed"\n'})
    demo.regista("ingest")
    assert "upper shelf" in demo.regista("retrieve", "Where is the green tea?")
    demo.write({"documents/tea.md": "# Tea\n\nThe green tea is kept in the cellar.\n"})
    demo.regista("ingest")
    assert "cellar" in demo.regista("retrieve", "Where is the green tea?")


def test_a_question_leaves_a_trace(demo: Demo) -> None:
    assert "hello" in demo.regista("ask", "hello")
    rows = demo.json("traces")
    assert (len(rows), rows[0]["question"]) == (1, "hello")
    assert "generate" in demo.regista("trace", rows[0]["id"][:12])
