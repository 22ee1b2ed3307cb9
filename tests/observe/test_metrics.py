from collections.abc import Callable

from msgspec.structs import replace

from regista.core.nouns import Call, Span, Trace, Upstream, Usage
from regista.observe.figures import rendered
from regista.observe.log import TraceLog
from regista.observe.metrics import Metrics
from regista.observe.otel.figures import OtlpFigures

Make = Callable[[str], Trace]


def lines(metrics: Metrics) -> set[str]:
    return set(rendered(metrics.figures()).decode().splitlines())


def test_a_trace_is_counted_under_its_labels(make_trace: Make) -> None:
    metrics = Metrics()
    metrics.observe_trace(make_trace("a"))
    metrics.observe_trace(make_trace("b"))
    metrics.observe_trace(replace(make_trace("c"), status="error"))
    by = 'application="club",model="embedded/reader"'
    assert {
        f'regista_requests_total{{{by},status="ok"}} 2.0',
        f'regista_requests_total{{{by},status="error"}} 1.0',
        'regista_tokens_total{application="club",kind="input",model="embedded/reader"} 30.0',
        'regista_tokens_total{application="club",kind="output",model="embedded/reader"} 15.0',
        'regista_tokens_total{application="club",kind="cached",model="embedded/reader"} 6.0',
        f"regista_request_seconds_count{{{by}}} 3.0",
        f"regista_first_token_seconds_count{{{by}}} 3.0",
        'regista_cache_total{application="club",result="miss"} 3.0',
    } <= lines(metrics)


def test_calls_are_counted_by_why_they_were_made_and_how_they_ended(make_trace: Make) -> None:
    call = Call("openai", "gpt", "answer", "error", Usage(), True, 0, 1, 1)
    metrics = Metrics()
    metrics.observe_trace(replace(make_trace("a"), calls=(call, replace(call, cause="retry", status="ok"))))
    metrics.observe_trace(replace(make_trace("b"), calls=(call,)))
    assert {
        'regista_calls_total{cause="answer",model="gpt",status="error"} 2.0',
        'regista_calls_total{cause="retry",model="gpt",status="ok"} 1.0',
    } <= lines(metrics)


def test_how_models_do_is_read_when_it_is_asked_for() -> None:
    now = [Upstream("default", running=3, waiting=2, shed=1, state="open", opened=4), Upstream("plain", running=1)]
    metrics = Metrics(upstreams=lambda: now)
    found = lines(metrics)
    assert {
        'regista_model_running{model="default"} 3.0',
        'regista_model_waiting{model="default"} 2.0',
        'regista_model_shed_total{model="default"} 1.0',
        'regista_model_breaker{model="default"} 2.0',
        'regista_model_breaker_opened_total{model="default"} 4.0',
        'regista_model_running{model="plain"} 1.0',
    } <= found
    assert not any("breaker" in line and "plain" in line for line in found)
    now.clear()
    assert not any("default" in line for line in lines(metrics))


def test_a_duration_falls_into_its_bucket(make_trace: Make) -> None:
    metrics = Metrics()
    metrics.observe_trace(replace(make_trace("a"), duration_ns=30_000_000))
    by = 'application="club",le="{}",model="embedded/reader"'
    assert f"regista_request_seconds_bucket{{{by.format('0.025')}}} 0.0" in lines(metrics)
    assert f"regista_request_seconds_bucket{{{by.format('0.05')}}} 1.0" in lines(metrics)


def test_cost_is_in_dollars_and_unknown_prices_are_counted_apart(make_trace: Make) -> None:
    metrics = Metrics()
    metrics.observe_trace(replace(make_trace("a"), cost_nano=1_500_000_000))
    metrics.observe_trace(replace(make_trace("a"), cost_nano=None))
    by = 'application="club",model="embedded/reader"'
    assert f"regista_cost_dollars_total{{{by}}} 1.5" in lines(metrics)
    assert f"regista_unpriced_requests_total{{{by}}} 1.0" in lines(metrics)


def test_what_guardrails_did_is_counted_by_guardrail(make_trace: Make) -> None:
    verdicts = [{"guardrail": "pii", "action": "mask"}, {"guardrail": "secrets", "action": "block"}]
    span = Span("guard request", "", -1, 0, 1, "block", "", {"verdicts": verdicts})
    metrics = Metrics()
    metrics.observe_trace(replace(make_trace("a"), spans=(span, span)))
    assert 'regista_guardrail_actions_total{action="mask",guardrail="pii"} 2.0' in lines(metrics)
    assert 'regista_guardrail_actions_total{action="block",guardrail="secrets"} 2.0' in lines(metrics)


def test_names_a_client_makes_up_do_not_grow_the_figures_without_end(make_trace: Make) -> None:
    metrics = Metrics()
    for number in range(700):
        metrics.observe_trace(replace(make_trace("a"), model=f"made-up-{number}"))
    requests = [line for line in lines(metrics) if line.startswith("regista_requests_total")]
    assert len(requests) == 501
    assert 'regista_requests_total{application="club",model="other",status="ok"} 200.0' in requests


async def test_the_log_shows_what_it_holds_and_lost(make_trace: Make, url: str) -> None:
    log = TraceLog(url, queue=2)
    for number in range(5):
        log.append(make_trace(str(number)))
    found = lines(Metrics(log))
    assert {"regista_trace_queue_depth 2.0", "regista_traces_dropped_total 3.0"} <= found
    assert any(line.startswith("regista_trace_lag_seconds 0.0") for line in found)
    assert any(line.startswith("regista_build_info{version=") for line in found)


def test_the_time_to_each_token_is_that_of_calls_that_stream(make_trace: Make) -> None:
    streamed = Call("openai", "gpt", "answer", "ok", Usage(9, 11), True, 0, 1, 500_000_000, first_token_ns=100_000_000)
    whole = replace(streamed, first_token_ns=499_999_000)
    failed, short = replace(streamed, status="error"), replace(streamed, usage=Usage(9, 1))
    metrics = Metrics()
    metrics.observe_trace(replace(make_trace("a"), calls=(streamed, whole, failed, short)))
    by = 'application="club",model="embedded/reader"'
    assert {
        f"regista_output_token_seconds_count{{{by}}} 1.0",
        f"regista_output_token_seconds_sum{{{by}}} 0.04",
    } <= lines(metrics)


def test_what_came_in_and_went_out_by_otlp_is_counted() -> None:
    class Both:
        received, rejected, refused, held, exported, dropped = 5, 2, 1, 300, 4, 3

    found = lines(Metrics(None, tuple, None, OtlpFigures(Both(), Both())))
    assert {
        "regista_otlp_received_spans_total 5.0",
        "regista_otlp_rejected_spans_total 2.0",
        "regista_otlp_refused_requests_total 1.0",
        "regista_otlp_held_bytes 300.0",
        "regista_otlp_exported_traces_total 4.0",
        "regista_otlp_dropped_traces_total 3.0",
    } <= found
