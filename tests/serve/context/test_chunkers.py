"""Every chunker keeps the contract on any text; the structural one keeps together what belongs together."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regista.core.digest import digest
from regista.core.errors import ConfigurationError
from regista.core.nouns import Chunk, Document
from regista.serve.context.chunkers import chunkers

SMALL: dict[str, dict[str, int]] = {"structure": {"target": 30, "max": 50}, "fixed": {"size": 40, "overlap": 15}}
MARKDOWN = st.lists(
    st.sampled_from(
        [
            "# A",
            "## B b",
            "### C",
            "",
            "A sentence. And one more, longer than it.",
            "| a | b |",
            "|---|---|",
            "```",
            "- x",
            "word " * 30,
            "x" * 70,
            "G. Wijnaldum ran.",
            "#",
            "\r",
            " \u2028 ",
        ]
    ),
    max_size=20,
).map("\n".join)


def document(text: str) -> Document:
    return Document("a.md", "Title", text, "text/markdown", digest(text))


def cut(text: str, **options: int) -> list[Chunk]:
    return chunkers.build("structure", None, **options).chunk(document(text))


@pytest.mark.parametrize("name", chunkers.names())
@given(text=MARKDOWN | st.text() | st.text(alphabet="ab .\n#|`- \t", max_size=200))
@example(text="# only a heading")
@example(text="\n```\n# no heading\n")
def test_chunks_are_slices_in_order_and_leave_out_only_space(name: str, text: str) -> None:
    for options in ({}, SMALL.get(name, {})):
        chunks = chunkers.build(name, None, **options).chunk(document(text))
        assert all(chunk.text == text[chunk.start : chunk.end] for chunk in chunks)
        assert all(chunk.text.strip() for chunk in chunks)
        assert [chunk.start for chunk in chunks] == sorted({chunk.start for chunk in chunks})
        covered = {offset for chunk in chunks for offset in range(chunk.start, chunk.end)}
        assert all(offset in covered for offset, character in enumerate(text) if not character.isspace())


@given(text=MARKDOWN | st.text(max_size=300))
def test_no_chunk_exceeds_its_maximum(text: str) -> None:
    assert all(len(chunk.text) <= 50 for chunk in cut(text, **SMALL["structure"]))
    assert all(len(chunk.text) <= 40 for chunk in chunkers.build("fixed", None, **SMALL["fixed"]).chunk(document(text)))


def test_a_chunk_knows_the_headings_above_it() -> None:
    body = "Drops between the centre-backs to build. " * 12
    chunks = cut(f"# Playbook\n\n## Roles\n\n### Six\n\n{body}\n\n### Eight\n\n{body}\n\n## Set pieces\n\n{body}")
    assert [chunk.heading for chunk in chunks] == [
        "Playbook > Roles > Six",
        "Playbook > Roles > Eight",
        "Playbook > Set pieces",
    ]
    assert chunks[0].text.startswith("# Playbook")


def test_small_siblings_become_one_chunk_under_their_parent() -> None:
    chunks = cut("# Drills\n\n## Rondo\n\nFive keep it from two.\n\n## Lane\n\nTwo run, one covers.\n")
    assert [(chunk.heading, chunk.text.count("##")) for chunk in chunks] == [("Drills", 2)]


def test_sections_under_different_headings_stay_apart() -> None:
    chunks = cut("# A\n\nShort.\n\n# B\n\nShort too.\n")
    assert [chunk.heading for chunk in chunks] == ["A", "B"]


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    chunks = cut("He turns away from pressure and passes. " * 20, target=200, max=300)
    assert len(chunks) > 1
    assert all(chunk.text.endswith(".") for chunk in chunks)


def test_a_long_table_and_long_code_are_cut_between_lines() -> None:
    rows = "\n".join(f"| player {n} | {n}.5 | a note. On two. Things |" for n in range(60))
    code = "\n".join(f"value_{n} = compute({n})" for n in range(60))
    chunks = cut(f"# T\n\n{rows}\n\n```\n{code}\n```\n")
    assert len(chunks) > 3
    assert all(chunk.text.rsplit("\n", 1)[-1].endswith(("|", ")", "```")) for chunk in chunks)


def test_a_mark_in_code_is_no_heading() -> None:
    assert [chunk.heading for chunk in cut("# Setup\n\n```\n# install\nmake\n```\n")] == ["Setup"]


@pytest.mark.parametrize(
    ("name", "options"), [("fixed", {"size": 10, "overlap": 10}), ("structure", {"target": 9, "max": 8})]
)
def test_sizes_that_cannot_be_met_are_refused(name: str, options: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match="set"):
        chunkers.build(name, None, **options)
