"""Every loader keeps the contract, and nothing a file can hold leads to anything but a document or advice."""

import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regista.core.digest import digest_bytes
from regista.core.errors import DocumentError
from regista.serve.context.loaders import MAX_FILE_BYTES, SUFFIXES, load, loader_of, loaders

NAMES = loaders.names()


@pytest.mark.parametrize("name", NAMES)
def test_the_table_of_suffixes_says_what_the_loader_says(name: str):
    assert SUFFIXES[name] == loaders.build(name).suffixes
    assert {loader_of(f"a/B{suffix.upper()}") for suffix in SUFFIXES[name]} == {name}


@pytest.mark.parametrize("name", NAMES)
def test_a_document_is_named_by_its_file_and_fit_for_offsets(name: str, examples: dict[str, bytes]):
    id = f"roles/deep_lying-midfielder{SUFFIXES[name][0]}"
    document = load(id, examples[name])
    assert (document.id, document.digest) == (id, digest_bytes(examples[name]))
    assert document.title in {"Roles", "Rondo", "deep lying midfielder"}
    assert "Wijnaldum" in document.text
    assert "\r" not in document.text
    assert document.text.encode().decode() == document.text


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_file_is_refused_with_advice(name: str):
    with pytest.raises(DocumentError, match=r"x\.\w+ is empty\. Write into it"):
        load(f"x{SUFFIXES[name][0]}", b"")


@pytest.mark.parametrize("name", NAMES)
def test_binary_bytes_are_refused_whatever_they_are_called(name: str):
    with pytest.raises(DocumentError, match=r"^x\.\w+ is "):
        load(f"x{SUFFIXES[name][0]}", bytes(range(256)) * 40)


@pytest.mark.parametrize("name", NAMES)
@given(cut=st.integers(1, 10_000), junk=st.binary(max_size=40))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_a_document_or_a_document_error(name: str, cut: int, junk: bytes, examples: dict[str, bytes]):
    whole = examples[name]
    at = cut % len(whole)
    for data in (whole[:at], whole[:at] + junk, whole[:at] + junk + whole[at + len(junk) :]):
        try:
            assert load(f"x{SUFFIXES[name][0]}", data).text.strip()
        except DocumentError as error:
            assert error.message.startswith("x.")


def test_a_file_of_an_unknown_kind_is_refused_with_the_known_ones():
    with pytest.raises(DocumentError, match=r"files that end in \.pptx\. Convert it to one of: \.csv, \.docx, "):
        load("slides.pptx", b"PK")
    with pytest.raises(DocumentError, match="no suffix"):
        load("README", b"text")


def test_a_file_beyond_the_limit_is_refused():
    with pytest.raises(DocumentError, match="100 MB is the most"):
        load("x.txt", bytes(MAX_FILE_BYTES + 1))


def test_a_file_of_spaces_holds_no_text():
    with pytest.raises(DocumentError, match="holds no text"):
        load("x.md", b" \n\t\n")


def test_loading_text_imports_no_other_parser():
    code = (
        "import sys; from regista.serve.context.loaders import load; load('a.txt', b'text');"
        "print({'pypdfium2', 'docx', 'selectolax', 'lxml'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
