"""A form with one file in it, taken apart as it arrives: https://datatracker.ietf.org/doc/html/rfc7578.

The file's blocks leave as they come, so that its size costs no memory. Knows nothing of what is in it.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from regista.core.errors import RequestError, TooLargeError
from regista.surfaces.http.wire import ClientLeft, Receive, Scope, headers_of

FIELDS = 16
"""Fields a form may have beside its file."""
FIELD = 1024
"""Bytes of the longest of them."""
AROUND = (FIELDS + 1) * 4 * FIELD
"""Bytes a form may have beside its file's content."""
Write = Callable[[bytes], Awaitable[None]]


class Form:
    """What a form holds beside the file's content; the file's name is None where there was no file."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.file_name: str | None = None


async def read_form(scope: Scope, receive: Receive, limit: int, block: int, write: Write) -> Form:
    """Read a whole form. The content of its field `file` is handed to `write` in blocks of about `block` bytes.

    Raises:
        RequestError: it is no such form.
        TooLargeError: the file has more than `limit` bytes.
    """
    parts = _Parts(_boundary(scope))
    waiting, size, around = bytearray(), 0, 0
    declared = headers_of(scope).get(b"content-length", b"")
    if declared.isdigit() and int(declared) > limit + AROUND:
        raise _too_large(limit)
    async for body in _body(receive):
        around += len(body)
        for data in parts.feed(body):
            size += len(data)
            around -= len(data)
            waiting += data
        if size > limit:
            raise _too_large(limit)
        if around > AROUND:
            raise RequestError(f"The form has more than {AROUND >> 10} kB beside its file.")
        while len(waiting) >= block:
            await write(bytes(waiting[:block]))
            del waiting[:block]
    if waiting:
        await write(bytes(waiting))
    return parts.end()


def _boundary(scope: Scope) -> bytes:
    kind, options = parse_options_header(headers_of(scope).get(b"content-type", b""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise RequestError("Send the file as a form: content-type multipart/form-data, fields 'purpose' and 'file'.")
    return boundary


async def _body(receive: Receive) -> AsyncGenerator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        yield message.get("body", b"")
        more = bool(message.get("more_body"))


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"The file is larger than {limit >> 20} MB. Split it, or raise REGISTA_MAX_FILE_MB.")


def _name(given: str) -> str:
    """What a file is called, without folders (RFC 7578, 4.2) and what cannot be printed."""
    return "".join(filter(str.isprintable, given.replace("\\", "/").rpartition("/")[2]))


class _Parts:
    """Feeds the parser and gathers what it finds: fields here, the file's content for whoever fed it."""

    def __init__(self, boundary: bytes) -> None:
        self._form = Form()
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._name = ""
        self._field = bytearray()
        self._content: list[bytes] = []
        self._whole = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_begin": self._header_begin,
                    "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                    "on_header_end": self._header_end,
                    "on_part_data": self._data,
                    "on_part_end": self._end,
                    "on_end": self._finish,
                },
            )
        except FormParserError as error:
            raise RequestError(f"The form cannot be read: {error}.") from None

    def feed(self, body: bytes) -> list[bytes]:
        """The file's content in these bytes."""
        try:
            self._parser.write(body)
        except FormParserError as error:
            raise RequestError(f"The form cannot be read: {error}.") from None
        content, self._content = self._content, []
        return content

    def end(self) -> Form:
        if not self._whole:
            raise RequestError("The form ends before its last boundary: it is not whole.")
        return self._form

    def _begin(self) -> None:
        self._name, self._field = "", bytearray()

    def _header_begin(self) -> None:
        self._header = (bytearray(), bytearray())

    def _header_end(self) -> None:
        name, value = (bytes(part) for part in self._header)
        if name.lower() != b"content-disposition":
            return
        _, options = parse_options_header(value)
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if self._name == "file":
            if self._form.file_name is not None:
                raise RequestError("The form holds two files: send one at a time.", param="file")
            self._form.file_name = _name(options.get(b"filename", b"").decode("utf-8", "replace"))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._name == "file":
            self._content.append(data[start:end])
            return
        self._field += data[start:end]
        if len(self._field) > FIELD:
            raise RequestError(f"The form's field {self._name[:40]!r} is longer than {FIELD} bytes.")

    def _end(self) -> None:
        if self._name != "file":
            if len(self._form.fields) == FIELDS:
                raise RequestError(f"The form has more than {FIELDS} fields.")
            self._form.fields[self._name] = self._field.decode("utf-8", "replace")

    def _finish(self) -> None:
        self._whole = True
