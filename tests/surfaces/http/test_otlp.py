"""OpenTelemetry in and out of a live server, spoken by the real SDK."""

import gzip
import os
import re
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live, Start
from tests.surfaces.http.test_serving import store, trace_of

from regista.core.nouns import Trace
from regista.observe.otel.identity import span_id
from regista.store import keys, ledger, rollups, traces
from regista.surfaces.cli._run import run

PATIENCE_S = 20.0
BARE = '[models.default]\nmodel = "echo/mirror"\n'
HOUR = 3_600 * 10**9
PROTOBUF = "application/x-protobuf"


@contextmanager
def sdk_of(server: Live, service: str = "bot", **options: Any) -> Generator[Tracer]:
    """A tracer of the official SDK that exports to a server; when it ends, all is exported."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{server.url}/v1/otlp/v1/traces", **options)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield provider.get_tracer("tests", "1.0")
    finally:
        provider.shutdown()


def asked(span: Span, question: str = "Who wins?", answer: str = "Ada.", tokens: tuple[int, int] = (12, 3)) -> None:
    """What an instrumentation of OpenAI's client says of a call."""
    span.set_attributes(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-5",
            "gen_ai.response.model": "gpt-5-2026-08-07",
            "gen_ai.usage.input_tokens": tokens[0],
            "gen_ai.usage.output_tokens": tokens[1],
            "gen_ai.input.messages": msgspec.json.encode(
                [{"role": "user", "parts": [{"type": "text", "content": question}]}]
            ).decode(),
            "gen_ai.output.messages": msgspec.json.encode(
                [{"role": "assistant", "parts": [{"type": "text", "content": answer}], "finish_reason": "stop"}]
            ).decode(),
        }
    )


def id_of(span: Span) -> str:
    return f"{span.get_span_context().trace_id:032x}"


def stored(server: Live, trace_id: str, when: Callable[[Trace], bool] = lambda _: True, tenant: str = "") -> Trace:
    """The one trace of an id that a tenant has from elsewhere, once it is as wanted."""
    end = time.monotonic() + PATIENCE_S
    with closing(store(server)) as database:
        while True:
            found = [trace for _, trace in traces.of_ids(database, [trace_id]) if trace.tenant == (tenant or "default")]
            if len(found) == 1 and when(found[0]):
                return found[0]
            assert time.monotonic() < end, found
            time.sleep(0.05)


def figure(server: Live, name: str, **headers: str) -> float:
    text = httpx2.get(f"{server.url}/metrics", headers=headers).text
    found = re.search(rf"^{name}(?:{{.*}})? (.+)$", text, re.MULTILINE)
    assert found, name
    return float(found[1])


def post(server: Live, body: bytes, media: str = PROTOBUF, **headers: str) -> httpx2.Response:
    sent = {"content-type": media, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return httpx2.post(f"{server.url}/v1/otlp/v1/traces", content=body, headers=sent, timeout=30)


def written(*spans: dict[str, object], service: str = "bot") -> bytes:
    """A request in JSON."""
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return msgspec.json.encode({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]})


def one(trace: str, span: str, parent: str = "", seconds: float = 1.0, **attributes: object) -> dict[str, object]:
    start = time.time_ns()
    named = [
        {
            "key": key.replace("__", "."),
            "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value},
        }
        for key, value in attributes.items()
    ]
    return {
        "traceId": trace,
        "spanId": span,
        "parentSpanId": parent,
        "name": f"span {span[-1]}",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + round(seconds * 1e9)),
        "attributes": named,
    }


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server that spans are sent to."""
    from tests.surfaces.http.conftest import write  # noqa: PLC0415 - beside the one that uses it

    server = Live(write(tmp_path_factory.mktemp("collector") / "collector", BARE))
    yield server
    server.stop()


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip, Compression.Deflate])
def test_spans_of_any_sdk_become_a_trace(
    collector: Live, compression: Compression, capsys: pytest.CaptureFixture[str]
) -> None:
    with sdk_of(collector, compression=compression) as tracer, tracer.start_as_current_span("answer") as root:
        with tracer.start_as_current_span("chat gpt-5", kind=SpanKind.CLIENT) as call:
            asked(call)
        with tracer.start_as_current_span("execute_tool table") as tool:
            tool.set_attributes({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "table"})
            tool.set_status(StatusCode.ERROR, "no such table")
    trace = stored(collector, id_of(root))
    assert (trace.application, trace.model, trace.status) == ("bot", "gpt-5-2026-08-07", "ok")
    assert (trace.question, trace.answer) == ("Who wins?", "Ada.")
    assert (trace.usage.input_tokens, trace.usage.output_tokens) == (12, 3)
    assert [(span.stage, span.parent, span.decision) for span in trace.spans] == [
        ("other", -1, ""),
        ("generate", 0, ""),
        ("tools", 0, "error"),
    ]
    assert not trace.calls and not trace.key, "Who sent it has paid for it."
    folder = str(collector.folder)
    assert run(["traces", folder]) == 0 and trace.id[:8] in capsys.readouterr().out
    assert run(["trace", trace.id, folder]) == 0
    shown = capsys.readouterr().out
    assert "gpt-5-2026-08-07" in shown and "Who wins?" in shown and "no such table" in shown


def test_spans_that_come_late_are_put_into_the_trace_that_is_stored_and_counted_once(collector: Live) -> None:
    service = f"late-{os.urandom(4).hex()}"
    trace_id, root, calls = os.urandom(16).hex(), os.urandom(8).hex(), [os.urandom(8).hex() for _ in range(2)]
    tokens: Any = {"gen_ai__operation__name": "chat", "gen_ai__request__model": "m", "gen_ai__usage__output_tokens": 7}
    first = written(one(trace_id, calls[0], root, **tokens), service=service)
    for _ in range(2):  # the exporter got no answer, and sends it again
        assert post(collector, first, "application/json").status_code == 200
    assert len(stored(collector, trace_id).spans) == 1
    late = written(one(trace_id, calls[1], root, **tokens), one(trace_id, root, "", 9.0), service=service)
    assert post(collector, late, "application/json").status_code == 200
    trace = stored(collector, trace_id, lambda trace: len(trace.spans) == 3)
    assert trace.duration_ns == 9 * 10**9 and trace.usage.output_tokens == 14
    assert [span.parent for span in trace.spans] == [-1, 0, 0]
    assert post(collector, first, "application/json").status_code == 200
    time.sleep(2)
    assert stored(collector, trace_id) == trace
    with closing(store(collector)) as database:
        since_s = trace.started_ns // HOUR * 3600
        for grain_s in (60, 3600):
            (summed,) = rollups.read(
                database,
                "traces",
                ("application",),
                since_s=since_s,
                until_s=since_s + 7200,
                grain_s=grain_s,
                application=service,
            )
            assert (summed.count, summed.output_tokens) == (1, 14)
            assert summed.duration_ns[0] == pytest.approx(9e9, rel=0.02)
        assert [row.id for row in traces.recent(database, service)] == [trace_id]
        assert not ledger.sums(database, "model")


def test_a_long_trace_whose_root_ends_last_is_one(collector: Live) -> None:
    with sdk_of(collector) as tracer:
        root = tracer.start_span("agent")
        inside = set_span_in_context(root)
        for number in range(700):  # more than one request of the SDK's
            with tracer.start_as_current_span(f"step {number}", inside) as step:
                asked(step, tokens=(1, 1))
        time.sleep(1.5)
        root.end()
    trace = stored(collector, id_of(root), lambda trace: len(trace.spans) == 701)
    assert trace.usage.input_tokens == 700 and {span.parent for span in trace.spans[1:]} == {0}


def test_what_cannot_be_read_of_a_request_is_told_and_the_rest_is_taken(collector: Live) -> None:
    trace_id, span = os.urandom(16).hex(), os.urandom(8).hex()
    answer = post(collector, written(one(trace_id, span), one(trace_id, "12")), "application/json")
    assert answer.status_code == 200
    partial = answer.json()["partialSuccess"]
    assert partial["rejectedSpans"] == "1" and "spanId" in partial["errorMessage"]
    assert len(stored(collector, trace_id).spans) == 1
    assert figure(collector, "regista_otlp_rejected_spans_total") >= 1


@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        (b"\xff\xff\xff", {}, 400, "no OTLP request"),
        (b"{", {"media": "application/json"}, 400, "JSON"),
        (b"", {"media": "text/plain"}, 415, "OTEL_EXPORTER_OTLP_PROTOCOL"),
        (b"x", {"content_encoding": "br"}, 415, "gzip"),
        (b"x" * 20, {"content_encoding": "gzip"}, 400, "Content-Encoding"),
        (gzip.compress(b"", mtime=0)[:-4], {"content_encoding": "gzip"}, 400, "before or after"),
        (gzip.compress(b"", mtime=0) * 2, {"content_encoding": "gzip"}, 400, "before or after"),
        (gzip.compress(bytes(5 << 20), mtime=0), {"content_encoding": "gzip"}, 413, "larger than 4 MB unpacked"),
        (bytes(5 << 20), {}, 413, "larger than 4 MB"),
    ],
)
def test_a_request_that_is_none_is_refused_for_good_in_its_own_encoding(
    collector: Live, body: bytes, headers: dict[str, str], status: int, said: str
) -> None:
    answer = post(collector, body, **headers)
    assert answer.status_code == status
    if headers.get("media", PROTOBUF) == PROTOBUF:
        from google.rpc.status_pb2 import Status  # noqa: PLC0415 # pyright: ignore

        read: Any = Status.FromString(answer.content)
        assert answer.headers["content-type"] == PROTOBUF
    else:
        read = answer.json()
        assert answer.headers["content-type"] == "application/json"
    assert said in str(read)
    assert httpx2.get(f"{collector.url}/healthz").status_code == 200


def test_two_workers_that_get_parts_of_one_trace_store_it_once(start: Start) -> None:
    server = start(BARE, "--port", "0", "--workers", "2")
    ids = [os.urandom(16).hex() for _ in range(20)]
    for trace_id in ids:
        root = os.urandom(8).hex()
        for parent in ("", root, root):  # each on a connection of its own
            post(server, written(one(trace_id, os.urandom(8).hex() if parent else root, parent)), "application/json")
    for trace_id in ids:
        stored(server, trace_id, lambda trace: [span.parent for span in trace.spans] == [-1, 0, 0])
    assert figure(server, "regista_otlp_received_spans_total") == 60


def test_a_trace_as_deep_as_it_is_long_is_shown(collector: Live, capsys: pytest.CaptureFixture[str]) -> None:
    trace_id, ids = os.urandom(16).hex(), [f"{number:016x}" for number in range(1, 3001)]
    spans = [one(trace_id, id, parent) for id, parent in zip(ids, ["", *ids], strict=False)]
    assert post(collector, written(*spans), "application/json").status_code == 200
    stored(collector, trace_id, lambda trace: len(trace.spans) == 3000)
    assert run(["trace", trace_id, str(collector.folder)]) == 0
    assert capsys.readouterr().out.count("other span") >= 2999


def test_what_is_gathered_is_stored_before_the_server_ends(start: Start) -> None:
    server = start(BARE)
    post(server, written(one(trace_id := os.urandom(16).hex(), os.urandom(8).hex())), "application/json")
    assert server.stop() == 0
    stored(server, trace_id)


def test_without_the_extra_protobuf_is_refused_with_what_to_do_and_json_is_taken(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "missing" / "opentelemetry").mkdir(parents=True)
    (tmp_path / "missing" / "opentelemetry" / "__init__.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "missing"))
    server = start(BARE)
    refused = post(server, b"")
    assert refused.status_code == 415
    assert b"pip install 'regista[otel]'" in refused.content and b"http/json" in refused.content
    assert post(server, b"{}", "application/json").json() == {}


def test_metrics_and_logs_are_refused_with_how_to_stop_them(collector: Live) -> None:
    answer = httpx2.post(f"{collector.url}/v1/otlp/v1/metrics", json={})
    assert answer.status_code == 404 and "OTEL_METRICS_EXPORTER=none" in answer.json()["message"]


def test_a_trace_is_its_tenants_whose_key_it_came_with(start: Start) -> None:
    server = start(BARE)
    with closing(store(server)) as database:
        tokens = {tenant: keys.add(database, tenant, tenant=tenant) for tenant in ("north", "south")}
    end = time.monotonic() + PATIENCE_S
    while httpx2.get(f"{server.url}/v1/models").status_code != 401:
        assert time.monotonic() < end
        time.sleep(0.05)
    body = written(one(trace_id := os.urandom(16).hex(), span := os.urandom(8).hex()))
    refused = post(server, body, "application/json")
    assert refused.status_code == 401 and refused.json()["code"] == 16
    assert post(server, body, authorization="Bearer rg-none").status_code == 401
    for token in tokens.values():
        assert post(server, body, "application/json", authorization=f"Bearer {token}").status_code == 200
    north, south = (stored(server, trace_id, tenant=tenant) for tenant in tokens)
    assert north.started_ns != south.started_ns, "An id and its start are one trace."
    more = written(one(trace_id, os.urandom(8).hex(), span))
    post(server, more, "application/json", authorization=f"Bearer {tokens['south']}")
    late = stored(server, trace_id, lambda trace: len(trace.spans) == 2, tenant="south")
    assert stored(server, trace_id, tenant="north") == north
    assert [span.attributes["id"] for span in late.spans] == [span, late.spans[1].attributes["id"]]
    with sdk_of(server, headers={"authorization": f"Bearer {tokens['north']}"}) as tracer:
        tracer.start_span("alone").end()
    assert figure(server, "regista_otlp_received_spans_total", authorization=f"Bearer {tokens['north']}") == 4


def exporting(upstream: Upstream, collector: Live, more: str = "") -> str:
    return (
        f'[app]\nname = "shop"\n[observe]\notlp = "{collector.url}/v1/otlp"\n{more}'
        f'[models.default]\nmodel = "openai/good"\nbase_url = "{upstream.url()}"\n'
        '[prices."openai/good"]\ninput = "1.00"\noutput = "2.00"\n'
    )


@pytest.mark.parametrize("content", [False, True])
def test_a_collector_gets_what_was_served_with_its_figures_and_content_only_if_asked(
    start: Start, collector: Live, upstream: Upstream, content: bool
) -> None:
    server = start(exporting(upstream, collector, "content = true\n" if content else ""))
    own = trace_of(server, server.ask("shop", "Is it open?"))
    trace = stored(collector, own.id)
    assert (trace.application, trace.variant, trace.model) == ("shop", own.variant, "shop")
    assert (trace.usage, trace.cost_nano, trace.status) == (own.usage, own.cost_nano, "ok")
    assert abs(trace.started_ns - own.started_ns) <= 1 and trace.duration_ns == own.duration_ns
    assert trace.first_token_ns == own.first_token_ns
    assert {"openai/good", "good"} & {span.attributes.get("model") for span in trace.spans}
    said = ("Is it open?", own.answer) if content else ("", "")
    assert (trace.question, trace.answer) == said
    assert figure(server, "regista_otlp_exported_traces_total") == 1


def test_a_failure_is_exported_as_one(start: Start, collector: Live, upstream: Upstream) -> None:
    configuration = exporting(upstream, collector).replace(upstream.url(), upstream.url("/s500"))
    server = start(configuration)
    own = trace_of(server, server.ask("shop"))
    trace = stored(collector, own.id)
    assert own.status == trace.status == "error" and own.error in trace.error


def test_a_collector_that_is_gone_slows_nothing_and_gets_what_waited_when_it_is_back(
    start: Start, upstream: Upstream
) -> None:
    gone = start(BARE, folder="gone")
    port = gone.url.rpartition(":")[2]
    assert gone.stop() == 0
    server = start(exporting(upstream, gone))
    answers = [server.ask("shop", str(number)) for number in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    end = time.monotonic() + PATIENCE_S
    while "not exported" not in httpx2.get(f"{server.url}/healthz").text:
        assert time.monotonic() < end
        time.sleep(0.05)
    back = start(BARE, "--port", port, folder="gone")
    for answer in answers:
        stored(back, answer.headers["x-regista-trace"])
    assert figure(server, "regista_otlp_dropped_traces_total") == 0


def test_headers_for_a_collector_come_from_the_environment(
    start: Start, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, collector: Live
) -> None:
    monkeypatch.setenv("COLLECTOR_HEADERS", "authorization=Bearer%20abc,x-scope=a")
    away = exporting(upstream, collector, 'headers_env = "COLLECTOR_HEADERS"\n')
    server = start(away.replace(f"{collector.url}/v1/otlp", upstream.url("/collector")))
    server.ask("shop")
    end = time.monotonic() + PATIENCE_S
    while not (sent := [one for one in upstream.requests if one.path == "/collector/v1/traces"]):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert sent[0].headers["authorization"] == "Bearer abc" and sent[0].headers["x-scope"] == "a"
    assert "abc" not in server.log.read_text()


def test_a_collector_that_is_saved_is_sent_to_from_then_on(start: Start, upstream: Upstream, collector: Live) -> None:
    configuration = exporting(upstream, collector)
    server = start(configuration.replace("[observe]\notlp", "[observe]\n# otlp"))
    answer = server.ask("shop")
    (server.folder / "regista.toml").write_text(configuration)
    end = time.monotonic() + PATIENCE_S
    while figure(server, "regista_otlp_exported_traces_total") == 0:
        assert time.monotonic() < end
        answer = server.ask("shop")
        time.sleep(0.2)
    stored(collector, answer.headers["x-regista-trace"])


def test_a_variable_that_is_not_set_is_named(start: Start, upstream: Upstream, collector: Live) -> None:
    with pytest.raises(AssertionError, match="headers_env names NOT_THERE, which is not set"):
        start(exporting(upstream, collector, 'headers_env = "NOT_THERE"\n'))


@pytest.mark.parametrize("model", ["openai/good", "anthropic/claude"])
def test_a_call_upstream_names_the_span_it_is_made_from(live: Live, upstream: Upstream, model: str) -> None:
    theirs = {"traceparent": f"00-{os.urandom(16).hex()}-00f067aa0ba902b7-00", "tracestate": "a=1"}
    body = {"model": model, "messages": [{"role": "user", "content": "x"}]}
    trace = trace_of(live, httpx2.post(f"{live.url}/v1/chat/completions", json=body, headers=theirs))
    assert trace.spans[0].attributes == {"parent_id": "00f067aa0ba902b7", "flags": 0, "state": "a=1"}
    (made,) = (at for at, span in enumerate(trace.spans) if span.stage == "generate")
    sent = upstream.requests[-1].headers
    assert sent["traceparent"] == f"00-{trace.id}-{span_id(trace.id, trace.started_ns, made)}-00"
    assert sent["tracestate"] == "a=1"
    answer = httpx2.post(f"{live.url}/v1/chat/completions", json=body)
    sent = upstream.requests[-1].headers
    assert re.fullmatch(rf"00-{answer.headers['x-regista-trace']}-[0-9a-f]{{16}}-01", sent["traceparent"])
    assert "tracestate" not in sent


def has_all(trace: Trace) -> bool:
    """The client's span, and both gateways' first stage."""
    return trace.spans[0].name == "client" and [span.stage for span in trace.spans].count("authenticate") == 2


def test_a_client_a_gateway_and_the_one_behind_it_are_one_trace_at_the_collector(start: Start, collector: Live) -> None:
    behind = start(f'[observe]\notlp = "{collector.url}/v1/otlp"\n{BARE}', folder="behind")
    before = start(
        f'[observe]\notlp = "{collector.url}/v1/otlp"\n[models.default]\nmodel = "openai/echo/mirror"\n'
        f'base_url = "{behind.url}/v1"\n',
        folder="before",
    )
    with sdk_of(collector) as tracer, tracer.start_as_current_span("client") as client:
        at = client.get_span_context()
        theirs = {"traceparent": f"00-{at.trace_id:032x}-{at.span_id:016x}-01"}
        body = {"model": "openai/echo/mirror", "messages": [{"role": "user", "content": "x"}]}
        httpx2.post(f"{before.url}/v1/chat/completions", json=body, headers=theirs).raise_for_status()
    trace = stored(collector, id_of(client), has_all)
    assert [span.name for span in trace.spans if span.parent < 0] == ["client"]
    outer, inner = (at for at, span in enumerate(trace.spans) if span.stage == "authenticate")
    root = trace.spans[trace.spans[inner].parent]
    assert trace.spans[root.parent].stage == "generate", "The one behind is called in the stage that generates."
    assert trace.spans[trace.spans[outer].parent].parent == 0
