"""Tables as comma- or otherwise separated values: a row becomes a line `column: value; column: value`.

A row then says what its values mean wherever a chunk begins.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice

from regista.core.digest import digest_bytes
from regista.core.errors import DocumentError
from regista.core.nouns import Document
from regista.serve.context.decoding import decode, title_of
from regista.serve.context.loaders import loaders

DELIMITERS = ",;\t|"
SNIFFED_ROWS = 50


@loaders.add
class Csv:
    """The first row names the columns unless it looks like data; empty values are left out."""

    suffixes = (".csv", ".tsv")

    def load(self, id: str, data: bytes) -> Document:
        table = decode(id, data)
        try:
            text = "\n".join(_lines(_rows(table, _delimiter(table))))
        except csv.Error as error:
            raise DocumentError(
                f"{id} is not a table of separated values ({error}). Is a quotation mark left open?"
            ) from error
        return Document(id, title_of(id), text, "text/csv", digest_bytes(data))


def _delimiter(table: str) -> str:
    """The delimiter that gives the most rows of one width above one, and among such the widest rows."""
    return max(DELIMITERS, key=lambda delimiter: _regularity(table, delimiter))


def _regularity(table: str, delimiter: str) -> tuple[int, int]:
    try:
        widths = Counter(len(row) for row in islice(_rows(table, delimiter), SNIFFED_ROWS))
    except csv.Error:
        return 0, 0
    width, rows = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    return (rows, width) if width > 1 else (0, 0)


def _rows(table: str, delimiter: str) -> Iterator[list[str]]:
    """Rows that hold something, the whitespace in their values made single spaces."""
    for row in csv.reader(io.StringIO(table), delimiter=delimiter, skipinitialspace=True):
        values = [" ".join(value.split()) for value in row]
        if any(values):
            yield values


def _lines(rows: Iterator[list[str]]) -> Iterator[str]:
    first = next(rows, list[str]())
    columns, rest = (first, rows) if _names_columns(first) else ([], chain([first], rows))
    empty = True
    for row in rest:
        empty = False
        yield "; ".join(f"{_column(columns, at)}: {value}" for at, value in enumerate(row) if value)
    if empty:
        yield "; ".join(columns)


def _names_columns(row: list[str]) -> bool:
    """Whether a first row is a header: names that differ, none of them a number."""
    names = [value for value in row if value]
    return len(set(names)) == len(names) and not any(_is_number(name) for name in names)


def _is_number(value: str) -> bool:
    try:
        float(value.strip("%€$£ ").replace(",", "."))
    except ValueError:
        return False
    return True


def _column(columns: list[str], at: int) -> str:
    return (columns[at] if at < len(columns) else "") or f"column {at + 1}"
