"""Plain text, Markdown and CSV: encodings, titles, rows."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.core.errors import DocumentError
from regista.serve.context.loaders import load

GERMAN = "Der Sechser öffnet das Spiel, größer wird der Raum über die Flügel – so übt man’s."
POLISH = "Łódź: zażółć gęślą jaźń, to jest dłuższy tekst po polsku o piłce nożnej i o trenerach."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_text_is_read_in_its_encoding(encoding: str):
    assert load("a.txt", GERMAN.encode(encoding)).text == GERMAN


def test_an_encoding_is_recognised_by_its_language():
    assert load("a.txt", POLISH.encode("cp1250")).text == POLISH


def test_utf_16_that_breaks_off_is_refused():
    with pytest.raises(DocumentError, match="begins as utf-16-le text"):
        load("a.txt", codecs.BOM_UTF16_LE + b"a\0b")


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).filter(str.strip))
def test_printable_utf_8_is_kept_to_the_letter(text: str):
    expected = text.removeprefix("\ufeff")
    if expected.strip():
        assert load("a.txt", text.encode()).text == expected


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n....", "a picture"),
        (b"%PDF-1.7 ....", "name it .pdf"),
        (b"PK\x03\x04....", "a ZIP archive or an Office file"),
    ],
)
def test_a_file_named_wrongly_is_told_what_it_is(data: bytes, kind: str):
    with pytest.raises(DocumentError, match=f"x.md is not text but .*{kind}"):
        load("x.md", data)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("---\ntitle: The six\n---\n# Roles\n", "The six"),
        ("---\ntitle: 2017\n---\n", "2017"),
        ("---\nteam: x # no\n---\nText\n\n## Two\n\n# Roles #\n", "Roles"),
        ("---\ntitle: [broken\n---\n# Roles\n", "Roles"),
        ("---\ntitle: [a, list]\n---\nText", "the playbook"),
        ("---\ndate: 2020-13-45\n---\n# Roles", "Roles"),
        ("```\n# a comment\n```\n\n# Roles\n", "Roles"),
        ("No heading", "the playbook"),
    ],
)
def test_the_title_of_markdown(text: str, title: str):
    document = load("club/the_playbook.md", text.encode())
    assert (document.title, document.text) == (title, text)


def test_line_ends_become_one_kind_before_there_are_offsets():
    assert load("a.md", b"# A\r\n\r\nb\rc\n").text == "# A\n\nb\nc\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_row_of_a_table_names_its_columns(delimiter: str):
    rows = [["Player", "Apps", ""], ["M. Salah", "36", "32"], ["", "", ""], ["Kane", "", "30"]]
    text = load("a.csv", "\r\n".join(delimiter.join(row) for row in rows).encode()).text
    assert text == "Player: M. Salah; Apps: 36; column 3: 32\nPlayer: Kane; column 3: 30"


def test_quoted_values_may_hold_delimiters_and_lines():
    text = load("a.csv", b'name,note\n"Kane, H.","left\nfoot ""good"""\n').text
    assert text == 'name: Kane, H.; note: left foot "good"'


def test_a_table_without_a_header_numbers_its_columns():
    assert load("a.csv", b"1;2\n3;4\n").text == "column 1: 1; column 2: 2\ncolumn 1: 3; column 2: 4"


def test_a_table_of_a_header_alone_keeps_it():
    assert load("a.csv", b"player,role\n").text == "player; role"


def test_a_quotation_mark_left_open_is_told():
    with pytest.raises(DocumentError, match="Is a quotation mark left open"):
        load("a.csv", b'a,b\n"' + b"x" * 200_000)
