"""Files through the official SDK and as bytes on the wire, against a live server."""

import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx2
import openai
import pytest
from tests.surfaces.http.conftest import Live, sdk, write

from regista.store import connect

ECHO = '[app]\nname = "shop"\n[models.default]\nmodel = "echo/it"\n'


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server that takes files of up to 2 MB."""
    os.environ["REGISTA_MAX_FILE_MB"] = "2"
    try:
        server = Live(write(tmp_path_factory.mktemp("files") / "shop", ECHO))
    finally:
        del os.environ["REGISTA_MAX_FILE_MB"]
    yield server
    server.stop()


@pytest.fixture
def client(echo: Live) -> openai.OpenAI:
    return sdk(echo)


CONTENTS = {
    "nothing": b"",
    "a line": b"{}\n",
    "no text": bytes(range(256)) * 300,
    "what looks like boundaries": b"\r\n--" * 40_000 + b"\r\n\r\n--x--\r\n",
    "what looks compressed": b"\x28\xb5\x2f\xfd" + b"small",
    "what is large": os.urandom(1_500_000),
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_a_file_comes_back_byte_for_byte(client: openai.OpenAI, content: bytes) -> None:
    file = client.files.create(file=("name ä.jsonl", content), purpose="batch")
    assert (file.bytes, file.purpose, file.status, file.filename) == (
        len(content),
        "batch",
        "processed",
        "name ä.jsonl",
    )
    assert client.files.content(file.id).content == content
    assert client.files.retrieve(file.id) == file
    assert client.files.wait_for_processing(file.id) == file


def test_a_deleted_file_is_gone(client: openai.OpenAI) -> None:
    file = client.files.create(file=b"x", purpose="batch")
    assert client.files.delete(file.id).deleted
    for look in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError):
            look(file.id)


def test_a_file_says_when_it_goes(client: openai.OpenAI) -> None:
    usual = client.files.create(file=b"x", purpose="batch")
    asked = client.files.create(file=b"x", purpose="batch", expires_after={"anchor": "created_at", "seconds": 3600})
    assert [(file.expires_at or 0) - file.created_at for file in (usual, asked)] == [30 * 86_400, 3600]
    with pytest.raises(openai.BadRequestError, match="expires_after"):
        client.files.create(file=b"x", purpose="batch", expires_after={"anchor": "created_at", "seconds": 60})


def test_files_are_listed_page_by_page_in_either_order(client: openai.OpenAI) -> None:
    for file in client.files.list():
        client.files.delete(file.id)
    made = [client.files.create(file=b"x", purpose="batch").id for _ in range(5)]
    assert [file.id for file in client.files.list(limit=2)] == made[::-1]
    assert [file.id for file in client.files.list(limit=2, order="asc", purpose="batch")] == made
    assert list(client.files.list(purpose="batch_output")) == []


@pytest.mark.parametrize("purpose", ["assistants", "fine-tune"])
def test_a_file_for_anything_else_is_not_taken_and_not_kept(client: openai.OpenAI, purpose: Any) -> None:
    before = len(list(client.files.list()))
    with pytest.raises(openai.BadRequestError, match=purpose):
        client.files.create(file=b"x", purpose=purpose)
    assert len(list(client.files.list())) == before


def test_a_file_over_the_limit_is_refused_by_its_length_and_by_its_bytes(client: openai.OpenAI, echo: Live) -> None:
    with pytest.raises(openai.APIStatusError, match="REGISTA_MAX_FILE_MB") as caught:
        client.files.create(file=bytes(3_000_000), purpose="batch")
    assert caught.value.status_code == 413

    def blocks() -> Iterator[bytes]:
        yield HEAD
        for _ in range(48):
            yield bytes(65_536)
        yield TAIL

    reply = httpx2.post(f"{echo.url}/v1/files", content=blocks(), headers=FORM)
    assert reply.status_code == 413


FORM = {"content-type": "multipart/form-data; boundary=b"}
HEAD = b'--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n'
TAIL = b'\r\n--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--b--\r\n'


def test_the_purpose_may_come_after_the_file(echo: Live) -> None:
    reply = httpx2.post(f"{echo.url}/v1/files", content=HEAD + b"{}" + TAIL, headers=FORM)
    assert (reply.status_code, reply.json()["bytes"]) == (200, 2)


@pytest.mark.parametrize(
    ("body", "headers", "said"),
    [
        (b"{}", {"content-type": "application/json"}, "multipart/form-data"),
        (b"{}", {"content-type": "multipart/form-data"}, "multipart/form-data"),
        (b"{}", {"content-type": "multipart/form-data; boundary=" + "b" * 300}, "form cannot be read"),
        (HEAD + b"{}", FORM, "not whole"),
        (b"", FORM, "not whole"),
        (b"garbage", FORM, "form cannot be read"),
        (HEAD + b"{}\r\n" + HEAD + b"{}" + TAIL, FORM, "two files"),
        (TAIL.removeprefix(b"\r\n"), FORM, "no field 'file'"),
        (b'--b\r\ncontent-disposition: form-data; name="x"\r\n\r\n' + b"y" * 5000 + TAIL, FORM, "longer than 1024"),
        (b'--b\r\ncontent-disposition: form-data; name="x"\r\n\r\ny\r\n' * 1 + HEAD + TAIL, FORM, ""),
        (b"--b\r\n" + b"h: v\r\n" * 50 + b"\r\n" + TAIL, FORM, "form cannot be read"),
        (b"--b\r\nh: " + b"v" * 9000 + b"\r\n\r\n" + TAIL, FORM, "form cannot be read"),
    ],
)
def test_what_is_no_form_is_told(echo: Live, body: bytes, headers: dict[str, str], said: str) -> None:
    reply = httpx2.post(f"{echo.url}/v1/files", content=body, headers=headers)
    assert reply.status_code == (400 if said else 200)
    assert said in reply.text


def test_many_fields_are_refused(echo: Live) -> None:
    fields = b"".join(b'--b\r\ncontent-disposition: form-data; name="x%d"\r\n\r\ny\r\n' % n for n in range(40))
    reply = httpx2.post(f"{echo.url}/v1/files", content=fields + HEAD + TAIL, headers=FORM)
    assert reply.status_code == 400 and "fields" in reply.json()["error"]["message"]


QUERIES = {
    "limit=0": 400,
    "limit=x": 400,
    "limit=20000": 400,
    "limit=-1": 400,
    "limit=" + "9" * 5000: 400,
    "limit=%EF%BC%93": 400,
    "after=file-none": 404,
    "&".join(["a=1"] * 33): 400,
}


@pytest.mark.parametrize(("query", "status"), QUERIES.items(), ids=[query[:20] for query in QUERIES])
@pytest.mark.parametrize("path", ["files", "batches"])
def test_a_wrong_page_is_told(echo: Live, path: str, query: str, status: int) -> None:
    reply = httpx2.get(f"{echo.url}/v1/{path}?{query}")
    kind = "not_found_error" if status == 404 else "invalid_request_error"
    assert (reply.status_code, reply.json()["error"]["type"]) == (status, kind)


def test_an_order_that_there_is_not_is_told(echo: Live) -> None:
    reply = httpx2.get(f"{echo.url}/v1/files?order=new")
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "order")


@pytest.mark.parametrize("name", ["../../x.jsonl", "/etc/x.jsonl", "..\\\\x.jsonl", "x\t.jsonl"])
def test_a_file_is_called_without_folders_and_what_cannot_be_printed(echo: Live, name: str) -> None:
    head = HEAD.replace(b'filename="f"', f'filename="{name}"'.encode())
    reply = httpx2.post(f"{echo.url}/v1/files", content=head + b"{}" + TAIL, headers=FORM)
    assert reply.json()["filename"] == "x.jsonl"


def test_a_form_that_never_comes_to_its_file_is_not_read_for_ever(echo: Live) -> None:
    def blocks() -> Iterator[bytes]:
        for _ in range(3000):
            yield b'--b\r\ncontent-disposition: form-data; name="x"\r\n\r\ny\r\n'
        yield HEAD + TAIL

    reply = httpx2.post(f"{echo.url}/v1/files", content=blocks(), headers=FORM)
    assert reply.status_code == 400 and "beside its file" in reply.json()["error"]["message"]


def test_a_file_has_nothing_but_its_content(echo: Live, client: openai.OpenAI) -> None:
    file = client.files.create(file=b"x", purpose="batch")
    reply = httpx2.get(f"{echo.url}/v1/files/{file.id}/versions")
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "unknown_url")


def test_a_web_page_shown_a_file_does_not_take_it_for_a_page(echo: Live, client: openai.OpenAI) -> None:
    file = client.files.create(file=b"<script>", purpose="batch")
    headers = httpx2.get(f"{echo.url}/v1/files/{file.id}/content").headers
    assert (headers["content-type"], headers["x-content-type-options"]) == ("application/octet-stream", "nosniff")


def test_nothing_is_kept_of_an_upload_that_failed(echo: Live, client: openai.OpenAI) -> None:
    with closing(connect(f"sqlite://{echo.folder / '.regista' / 'regista.db'}")) as database:

        def rows() -> list[tuple[int]]:
            return database.query(
                "SELECT count(*) FROM files WHERE bytes IS NULL UNION ALL SELECT count(*) FROM file_parts"
            )

        before = rows()
        for body in (HEAD + bytes(200_000), HEAD + bytes(200_000) + TAIL.replace(b"batch", b"other")):
            assert httpx2.post(f"{echo.url}/v1/files", content=body, headers=FORM).status_code == 400
        assert rows() == before
