"""How Python's values go to PostgreSQL and come back as SQLite would give them. Knows no table."""

from decimal import Decimal
from typing import Any

from psycopg import Connection
from psycopg.adapt import Buffer, Dumper, Loader
from psycopg.pq import Format
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper, NumericBinaryLoader

_MARK = "\x1a"
_NUL, _MARKED = _MARK + "0", _MARK + "1"
"""PostgreSQL's text holds no NUL: it is stored as the first of these, and the mark itself as the second."""
_BIGINT, _TEXT = 20, 25


def adapt(connection: Connection[Any]) -> None:
    """Make a connection store and load as told here."""
    types = connection.adapters
    types.register_dumper(str, _TextDumper)
    types.register_dumper(bool, _FlagDumper)
    # One type for every integer, however small: a query is then prepared once.
    types.register_dumper(int, Int8Dumper)
    types.register_dumper(int, Int8BinaryDumper)
    types.register_loader("text", _TextLoader)
    types.register_loader("text", _TextBinaryLoader)
    types.register_loader("numeric", _NumberLoader)


class _TextDumper(Dumper):
    oid = _TEXT

    def dump(self, obj: str) -> Buffer:
        if "\0" in obj or _MARK in obj:
            obj = obj.replace(_MARK, _MARKED).replace("\0", _NUL)
        return obj.encode()


class _FlagDumper(Dumper):
    """Flags are integers."""

    oid = _BIGINT

    def dump(self, obj: bool) -> Buffer:
        return b"1" if obj else b"0"


class _TextLoader(Loader):
    def load(self, data: Buffer) -> str:
        text = bytes(data).decode()
        return text.replace(_NUL, "\0").replace(_MARKED, _MARK) if _MARK in text else text


class _TextBinaryLoader(_TextLoader):
    format = Format.BINARY


class _NumberLoader(NumericBinaryLoader):
    """Sums and averages: a sum over integers is one."""

    def load(self, data: Buffer) -> Any:
        number: Decimal = super().load(data)
        return int(number) if number == number.to_integral_value() else float(number)
