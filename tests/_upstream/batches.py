"""A provider on the loopback interface that runs batches as OpenAI's and Anthropic's documentation says.

https://platform.openai.com/docs/api-reference/batch and /files, and
https://platform.claude.com/docs/en/api/messages/batches. A batch ends at the look that `looks` says. A request whose
text holds "fail" is answered with an error, one with "late" is not run in time.
"""

import asyncio
import json
import socket
import threading
from collections.abc import Callable
from email.message import Message
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from tests._upstream.answers import ANSWER, Json, anthropic_messages, openai_chat

PATIENCE_S = 10.0
Reply = tuple[int, bytes]
NOT_FOUND: Reply = (404, b'{"error": {"message": "There is nothing here.", "type": "not_found_error"}}')


class BatchUpstream:
    """The server and what it has. Use as a context manager; paths below `/openai/v1` and `/anthropic/v1`."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._port = int(self._socket.getsockname()[1])
        options: Any = {"lifespan": "off", "ws": "none", "log_level": 60, "access_log": False, "server_header": False}
        self._server = uvicorn.Server(uvicorn.Config(self._serve, interface="asgi3", **options))
        self._thread = threading.Thread(target=self._run, name="batch upstream", daemon=True)
        self.forget()

    def forget(self) -> None:
        """Back to the beginning, for the next test."""
        self.looks = 2
        """Looks after which a batch has ended; 0 for never, unless it is cancelled."""
        self.deaf = False
        """Whether it lists its first page, whatever page it is asked for."""
        self.refusal = ""
        """Why batches fail as a whole."""
        self.statuses: list[int] = []
        """Statuses that the next requests get instead of an answer; 0 is none."""
        self.after: Callable[[str], None] = lambda path: None
        """Called when a request was served, before it is answered."""
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Json] = {}
        self.paths: list[str] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._port}/{path}"

    @property
    def answered(self) -> list[str]:
        """The texts of all requests it was handed over, batch by batch."""
        return [_text(request) for batch in self.batches.values() for request in batch["_requests"]]

    def __enter__(self) -> "BatchUpstream":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(PATIENCE_S)
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._run_until_told())

    async def _run_until_told(self) -> None:
        await self._server.serve([self._socket])
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, scope: Json, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        path: str = scope["path"]
        self.paths.append(f"{scope['method']} {path}")
        status = self.statuses.pop(0) if self.statuses else 0
        if status:
            code, data = status, json.dumps({"error": {"message": f"upstream says {status}"}}).encode()
        else:
            query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode()).items()}
            code, data = self._answer(scope["method"], path, query, headers, body)
            self.after(f"{scope['method']} {path}")
        kind = b"application/json" if data.startswith(b"{") and data.count(b"\n") == 0 else b"application/octet-stream"
        length = str(len(data)).encode()
        await send(
            {
                "type": "http.response.start",
                "status": code,
                "headers": [(b"content-type", kind), (b"content-length", length)],
            }
        )
        await send({"type": "http.response.body", "body": data})

    def _answer(self, method: str, path: str, query: Json, headers: dict[str, str], body: bytes) -> Reply:
        api, *rest = path.strip("/").split("/")
        if api == "openai":
            return self._openai([method, *rest[1:]], query, headers, body)
        return self._anthropic([method, *rest[2:]], body)

    def _openai(self, asked: list[str], query: Json, headers: dict[str, str], body: bytes) -> Reply:
        match asked:
            case ["POST", "files"]:
                return self._upload(headers, body)
            case ["GET", "files", file, "content"] if file in self.files:
                return 200, self.files[file]
            case ["POST", "batches"]:
                return self._openai_batch(json.loads(body))
            case ["GET", "batches"]:
                return self._openai_list(query)
            case ["GET", "batches", batch] if batch in self.batches:
                return _json(self._look_openai(self.batches[batch]))
            case ["POST", "batches", batch, "cancel"] if batch in self.batches:
                self.batches[batch]["status"] = "cancelling"
                return _json(self.batches[batch])
            case _:
                return NOT_FOUND

    def _anthropic(self, asked: list[str], body: bytes) -> Reply:
        match asked:
            case ["POST", "batches"]:
                return self._anthropic_batch(json.loads(body))
            case ["GET", "batches", batch] if batch in self.batches:
                return _json(self._look_anthropic(self.batches[batch]))
            case ["GET", "batches", batch, "results"] if batch in self.batches:
                return self._anthropic_results(self.batches[batch])
            case ["POST", "batches", batch, "cancel"] if batch in self.batches:
                self.batches[batch]["processing_status"] = "canceling"
                return _json(self.batches[batch])
            case _:
                return NOT_FOUND

    # OpenAI

    def _upload(self, headers: dict[str, str], body: bytes) -> Reply:
        form = BytesParser().parsebytes(f"content-type: {headers['content-type']}\r\n\r\n".encode() + body)
        parts = {str(part.get_param("name", header="content-disposition")): part for part in _parts(form)}
        if _content(parts["purpose"]) != b"batch":
            return 400, b'{"error": {"message": "purpose"}}'
        file = self._keep(_content(parts["file"]))
        return _json({"id": file, "object": "file", "bytes": len(self.files[file]), "created_at": 1, "purpose": "batch",
                      "filename": str(parts["file"].get_filename()), "status": "processed"})  # fmt: skip

    def _keep(self, content: bytes) -> str:
        file = f"file-{len(self.files)}"
        self.files[file] = content
        return file

    def _openai_batch(self, order: Json) -> Reply:
        lines = [json.loads(line) for line in self.files[order["input_file_id"]].splitlines()]
        assert order["completion_window"] == "24h"
        assert all(line["method"] == "POST" and line["url"] == order["endpoint"] for line in lines)
        assert len({line["custom_id"] for line in lines}) == len(lines)
        batch = f"batch_{len(self.batches)}"
        self.batches[batch] = {
            "id": batch,
            "object": "batch",
            "created_at": 1,
            "status": "validating",
            "metadata": order.get("metadata"),
            "_looks": 0,
            "_requests": [line["body"] for line in lines],
            "_names": [line["custom_id"] for line in lines],
            **{name: order[name] for name in ("endpoint", "input_file_id", "completion_window")},
        }
        return _json(self.batches[batch])

    def _openai_list(self, query: Json) -> Reply:
        newest = list(self.batches.values())[::-1]
        ids = [batch["id"] for batch in newest]
        first = ids.index(query["after"]) + 1 if "after" in query and not self.deaf else 0
        page = newest[first : first + min(int(query.get("limit", 20)), 1)]
        more = first + len(page) < len(newest)
        return _json({"object": "list", "data": [_shown(batch) for batch in page], "has_more": more})

    def _look_openai(self, batch: Json) -> Json:
        batch["_looks"] += 1
        cancelled = batch["status"] == "cancelling"
        if batch["status"] in ("completed", "failed", "cancelled"):
            return batch
        if self.refusal:
            batch |= {"status": "failed", "errors": {"object": "list", "data": [{"message": self.refusal}]}}
        elif cancelled or batch["_looks"] == self.looks:
            half = len(batch["_names"]) // 2 if cancelled else len(batch["_names"])
            done = list(zip(batch["_names"], batch["_requests"], strict=True))[:half]
            lines = [_openai_line(name, request) for name, request in done]
            good = [line for line in lines if line["response"] and line["response"]["status_code"] == 200]
            bad = [line for line in lines if line not in good]
            # The order of the output is not that of the input.
            batch["output_file_id"] = self._keep(_jsonl(good[::-1]))
            batch["error_file_id"] = self._keep(_jsonl(bad)) if bad else None
            batch["status"] = "cancelled" if cancelled else "completed"
        else:
            batch["status"] = "in_progress"
        return batch

    # Anthropic

    def _anthropic_batch(self, order: Json) -> Reply:
        rows: list[Json] = order["requests"]
        assert all(row["custom_id"].replace("-", "").replace("_", "").isalnum() for row in rows)
        batch = f"msgbatch_{len(self.batches)}"
        self.batches[batch] = {
            "id": batch,
            "type": "message_batch",
            "processing_status": "in_progress",
            "created_at": "2026-11-01T00:00:00Z",
            "expires_at": "2026-11-02T00:00:00Z",
            "request_counts": dict.fromkeys(("canceled", "errored", "expired", "processing", "succeeded"), 0),
            "_looks": 0,
            "_requests": [row["params"] for row in rows],
            "_names": [row["custom_id"] for row in rows],
        }
        return _json(self.batches[batch])

    def _look_anthropic(self, batch: Json) -> Json:
        batch["_looks"] += 1
        if batch["processing_status"] == "canceling":
            batch |= {"processing_status": "ended", "_cancelled": True}
        elif batch["_looks"] == self.looks:
            batch["processing_status"] = "ended"
        return batch

    def _anthropic_results(self, batch: Json) -> Reply:
        if batch["processing_status"] != "ended":
            return 404, b'{"error": {"message": "not yet"}}'
        half = len(batch["_names"]) // 2 if batch.get("_cancelled") else len(batch["_names"])
        lines = [
            {"custom_id": name, "result": _anthropic_result(request) if place < half else {"type": "canceled"}}
            for place, (name, request) in enumerate(zip(batch["_names"], batch["_requests"], strict=True))
        ]
        return 200, _jsonl(lines[::-1])


def _openai_line(name: str, request: Json) -> Json:
    line: Json = {"id": f"batch_req_{name}", "custom_id": name, "response": None, "error": None}
    if "late" in _text(request):
        return line | {"error": {"code": "batch_expired", "message": "This request was not run in time."}}
    if "fail" in _text(request):
        said = {
            "error": {"message": "It is not allowed.", "type": "invalid_request_error", "param": None, "code": None}
        }
        return line | {"response": {"status_code": 400, "request_id": "req_1", "body": said}}
    answer = json.loads(openai_chat(request, f"{ANSWER} {_text(request)}").parts[0])
    return line | {"response": {"status_code": 200, "request_id": "req_1", "body": answer}}


def _anthropic_result(request: Json) -> Json:
    if "late" in _text(request):
        return {"type": "expired"}
    if "fail" in _text(request):
        error = {"type": "invalid_request_error", "message": "It is not allowed."}
        return {"type": "errored", "error": {"type": "error", "error": error, "request_id": "req_1"}}
    return {
        "type": "succeeded",
        "message": json.loads(anthropic_messages(request, f"{ANSWER} {_text(request)}").parts[0]),
    }


def _text(request: Json) -> str:
    content = request["messages"][-1]["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _shown(batch: Json) -> Json:
    return {name: value for name, value in batch.items() if not name.startswith("_")}


def _json(value: Json) -> Reply:
    return 200, json.dumps(_shown(value)).encode()


def _jsonl(lines: list[Json]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def _parts(form: Message) -> list[Message]:
    return [part for part in form.walk() if not part.is_multipart()]


def _content(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload
