"""OpenAI's requests and answers, and what hosts have beside them, without a network."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.core.errors import ProviderError, StreamCutError
from regista.core.nouns import Delta, Json, Message, Request, Usage
from regista.models import openai_request, openai_wire
from regista.models.hosts import Host, hosts

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ENTRY: Json = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}


def event(value: Json) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def chunk(finish: str | None = None, usage: Json | None = None, **delta: Any) -> bytes:
    more = {} if usage is None else {"usage": usage}
    return event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more})


def answer(finish: str | None = "stop", usage: Json | None = None, **message: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi", **message}, "finish_reason": finish}
    return json.dumps({"choices": [choice], "usage": usage}).encode()


def fed(*events: bytes, charges: str = "") -> Delta:
    """What one block with these events adds."""
    delta = openai_wire.Stream(True, charges).feed(b"".join(events))
    assert delta is not None
    return delta


def broken(*events: bytes, choices: int = 1) -> tuple[Delta | None, ProviderError]:
    """What one block with these events adds, and what its stream ends with."""
    stream = openai_wire.Stream(True, choices=choices)
    delta = stream.feed(b"".join(events))
    with pytest.raises(ProviderError) as raised:
        stream.end("m")
    return delta, raised.value


def sent(host: str, stream: bool = False, **rest: Any) -> Json:
    return json.loads(openai_request.body(Request("m", (Message("user", "hi"),), stream, rest=rest), hosts()[host]))


# Requests


def test_a_stream_asks_a_host_for_the_usage_it_can_tell() -> None:
    assert sent("openai", stream=True)["stream_options"] == {"include_usage": True}
    every = {"include_usage": True, "continuous_usage_stats": True}
    assert sent("vllm", stream=True)["stream_options"] == sent("sglang", stream=True)["stream_options"] == every
    assert "stream_options" not in sent("mistral", stream=True, stream_options={"include_usage": True})


def test_fields_have_the_names_a_host_knows() -> None:
    assert sent("openai", max_tokens=5)["max_completion_tokens"] == 5
    assert sent("deepseek", max_completion_tokens=5)["max_tokens"] == 5
    both = sent("openai", max_tokens=5, max_completion_tokens=6)
    assert (both["max_completion_tokens"], "max_tokens" in both) == (6, False)
    mistral = sent("mistral", seed=3, user="u", logit_bias={}, future=1)
    assert mistral["random_seed"] == 3 and mistral["future"] == 1
    assert not {"seed", "user", "logit_bias"} & mistral.keys()


@pytest.mark.parametrize(
    ("host", "field"), [("deepseek", "reasoning_content"), ("openrouter", "reasoning"), ("openai", ""), ("azure", "")]
)
def test_what_was_thought_goes_back_where_a_host_looks_for_it(host: str, field: str) -> None:
    thought = Message("assistant", "a", {"reasoning_content": "Hm."})
    body = json.loads(openai_request.body(Request("m", (thought, Message("user", "b"))), hosts()[host]))
    assert body["messages"][0] == {"role": "assistant", "content": "a", **({field: "Hm."} if field else {})}


def test_what_another_provider_sealed_is_not_sent() -> None:
    sealed = Message("assistant", "a", {"thinking_blocks": [{"type": "thinking"}], "name": "x"})
    assert openai_request.wire(sealed) == {"role": "assistant", "content": "a", "name": "x"}


# What hosts say


@pytest.mark.parametrize(
    "said",
    [
        {"reasoning_content": "Hm."},
        {"reasoning": "Hm."},
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
                {"type": "text", "text": "Hi"},
            ]
        },
    ],
    ids=["DeepSeek, SGLang, xAI", "vLLM, Groq, OpenRouter", "Mistral"],
)
def test_what_a_model_thinks_is_read_wherever_a_host_puts_it(said: Json) -> None:
    whole = openai_wire.whole(answer(**said))
    assert (whole.text, whole.reasoning) == ("Hi", "Hm.")
    streamed = fed(chunk(None, None, **({"content": "Hi"} | said)))
    assert (streamed.text, streamed.reasoning) == ("Hi", "Hm.")


def test_pieces_of_thought_and_text_in_one_block_are_told_apart() -> None:
    delta = fed(chunk(reasoning_content="H"), chunk(reasoning_content="m."), chunk(content="Hi"), chunk(content="!"))
    assert (delta.text, delta.reasoning) == ("Hi!", "Hm.")


def test_a_refusal_is_told_from_an_answer() -> None:
    whole = openai_wire.whole(answer(content=None, refusal="No."))
    streamed = fed(chunk(refusal="N"), chunk(refusal="o."))
    assert (whole.text, whole.refused) == (streamed.text, streamed.refused) == ("No.", True)
    assert not openai_wire.whole(answer(refusal=None)).refused
    beside = openai_wire.whole(answer(content="", refusal="No."))
    assert (beside.text, beside.refused) == ("No.", True)


def test_log_probabilities_are_kept_entry_by_entry() -> None:
    choice = {"index": 0, "delta": {"content": "Hi"}, "logprobs": {"content": [ENTRY, ENTRY]}, "finish_reason": None}
    assert fed(event({"choices": [choice]}), event({"choices": [choice]})).logprobs == (ENTRY,) * 4
    whole = {"choices": [choice | {"message": {"content": "Hi"}, "finish_reason": "stop"}]}
    assert openai_wire.whole(json.dumps(whole).encode()).logprobs == (ENTRY, ENTRY)


@pytest.mark.parametrize("logprobs", [None, -0.5, {"content": None}, {"tokens": ["a"], "token_logprobs": [-0.1]}])
def test_log_probabilities_in_no_shape_of_openais_are_left_to_the_raw_bytes(logprobs: Any) -> None:
    choice = {"index": 0, "delta": {"content": "Hi"}, "logprobs": logprobs, "finish_reason": None}
    assert fed(event({"choices": [choice]})).logprobs == ()


# How an answer ended


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("tool_calls", "tool_calls"),
        ("content_filter", "content_filter"),
        ("function_call", "tool_calls"),
        ("eos", "stop"),
        ("model_length", "length"),
        ("a_new_one", "a_new_one"),
    ],
)
def test_finish_reasons_have_openais_names_in_the_raw_bytes_too(reason: str, finish: str) -> None:
    whole, streamed = openai_wire.whole(answer(reason)), fed(chunk(reason))
    assert whole.finish == streamed.finish == finish
    assert json.loads(whole.raw or b"")["choices"][0]["finish_reason"] == finish
    assert json.loads((streamed.raw or b"").removeprefix(b"data: "))["choices"][0]["finish_reason"] == finish


def test_an_empty_finish_reason_after_calls_of_tools_is_theirs() -> None:
    call: Json = {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}
    assert openai_wire.whole(answer("", content=None, tool_calls=[call])).finish == "tool_calls"
    stream = openai_wire.Stream(True)
    assert stream.feed(chunk(tool_calls=[call]))
    last = stream.feed(chunk(""))
    assert last is not None and last.finish == "tool_calls"
    assert fed(chunk("", content="Hi")).finish is None


def test_calls_that_a_host_does_not_number_are_told_apart_by_their_names() -> None:
    def piece(arguments: str, **named: Any) -> Json:
        return {"function": {"arguments": arguments, **named}}

    stream = openai_wire.Stream(True)
    blocks = [[piece('{"a":', name="f")], [piece(" 1}")], [piece("{}", name="g"), piece("{}", name="h")]]
    deltas = [stream.feed(chunk(tool_calls=block)) for block in blocks]
    parts = [part for delta in deltas if delta is not None for part in delta.tool_calls]
    assert [(part.index, part.name) for part in parts] == [(0, "f"), (0, ""), (1, "g"), (2, "h")]


@pytest.mark.parametrize("reason", sorted(openai_wire.BROKEN))
def test_an_answer_its_host_gave_up_is_an_error(reason: str) -> None:
    with pytest.raises(StreamCutError, match=reason):
        openai_wire.whole(answer(reason))
    delta, error = broken(chunk(content="Hi", usage={"prompt_tokens": 9}), chunk(reason, content="!"))
    assert isinstance(error, StreamCutError) and reason in error.message
    assert broken(chunk(reason))[0] is None, "Another may still answer: nothing was said."
    assert delta == Delta("Hi", usage=Usage(9), raw=chunk(content="Hi", usage={"prompt_tokens": 9}))


# Usage


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 2}, Usage(9, 2)),
        ({"prompt_tokens": 9, "completion_tokens": 2, "prompt_cache_hit_tokens": 4}, Usage(9, 2, 4)),
        ({"prompt_tokens": 9, "completion_tokens": 2, "reasoning_tokens": 1}, Usage(9, 2, 0, 1)),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 5,
                "total_tokens": 14,
                "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3, "audio_tokens": 2},
                "completion_tokens_details": {"reasoning_tokens": 4},
            },
            Usage(9, 5, 4, 4, 3, 0, 2),
        ),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 1,
                "total_tokens": 14,
                "completion_tokens_details": {"reasoning_tokens": 4},
            },
            Usage(9, 5, 0, 4),
        ),
        ({"prompt_tokens": None, "completion_tokens": None, "prompt_tokens_details": None}, Usage()),
    ],
    ids=["plain", "DeepSeek", "SGLang", "OpenAI", "xAI counts reasoning apart", "nothing"],
)
def test_usage_is_read_as_each_host_tells_it(usage: Json, expected: Usage) -> None:
    assert openai_wire.whole(answer(usage=usage)).usage == expected
    assert fed(chunk("stop", usage)).usage == expected


def test_an_answer_without_usage_has_none() -> None:
    assert openai_wire.whole(answer()).usage is None


@pytest.mark.parametrize(
    ("host", "usage", "nano"),
    [
        ("openrouter", {"cost": 0.00014}, 140_000),
        ("openrouter", {"cost": 0}, 0),
        ("openrouter", {"cost": None}, None),
        ("perplexity", {"cost": {"input_tokens_cost": 0.1, "total_cost": 0.006}}, 6_000_000),
        ("perplexity", {"cost": 1}, None),
        ("xai", {"cost_in_usd_ticks": 37_756_000}, 3_775_600),
        ("openai", {"cost": 5}, None),
    ],
)
def test_what_a_host_says_it_charged_is_believed_of_those_that_do(host: str, usage: Json, nano: int | None) -> None:
    counted: Json = {"prompt_tokens": 1, "completion_tokens": 1}
    found = openai_wire.whole(answer(usage=counted | usage), hosts()[host].charges).usage
    assert found is not None and found.charged_nano == nano


def test_usage_told_with_every_chunk_is_the_last_one_told() -> None:
    counts = [{"prompt_tokens": 9, "completion_tokens": n} for n in (1, 2)]
    delta = fed(chunk(content="a", usage=counts[0]), chunk(content="b", usage=counts[1]))
    assert (delta.text, delta.usage) == ("ab", Usage(9, 2))


# Bytes


@given(st.lists(TEXT.filter(bool), min_size=1), st.integers(1, 64), st.sampled_from([b"\n", b"\r\n"]))
def test_a_streamed_text_is_the_same_however_its_bytes_are_cut(pieces: list[str], size: int, end: bytes) -> None:
    data = b": a comment\n\n" + b"".join(chunk(content=piece) for piece in pieces) + chunk("stop") + b"data: [DONE]\n\n"
    data = data.replace(b"\n", end)
    stream = openai_wire.Stream(False)
    blocks = [data[start : start + size] for start in range(0, len(data), size)]
    deltas = [delta for block in blocks if (delta := stream.feed(block)) is not None]
    assert "".join(delta.text for delta in deltas) == "".join(pieces)
    assert stream.done
    assert [delta.finish for delta in deltas if delta.finish] == ["stop"]
    assert b"[DONE]" not in b"".join(delta.raw or b"" for delta in deltas)


NO_CHUNKS = [b"data: half {\n\n", b'data: {"error": {"message": "no"}}\n\n', b"event: x\ndata: [\n\n"]


@pytest.mark.parametrize("data", NO_CHUNKS)
def test_an_event_that_is_no_chunk_is_an_error_and_what_stands_before_it_is_told(data: bytes) -> None:
    before, after = chunk(content="Hi"), chunk(content="lost")
    assert broken(data)[0] is None
    delta, error = broken(before, data, after)
    assert delta == Delta("Hi", raw=before) and not isinstance(error, StreamCutError)


@pytest.mark.parametrize(
    ("said", "upstream", "code"),
    [
        ({"code": 429, "message": "Slow down. sk-not-to-be-shown"}, 429, "rate_limited"),
        ({"code": 502, "message": "Slow down. sk-not-to-be-shown"}, 502, "provider_error"),
        ({"code": "server_error", "message": "Slow down. sk-not-to-be-shown"}, 0, "provider_error"),
        ("Slow down. sk-not-to-be-shown", 0, "provider_error"),
    ],
)
def test_an_error_in_the_stream_is_the_error_its_status_would_be(said: Json | str, upstream: int, code: str) -> None:
    _, error = broken(event({"error": said}))
    assert (error.upstream_status, error.code) == (upstream, code)
    assert "Slow down." in error.message and "not-to-be-shown" not in error.message


def test_what_an_error_shows_of_a_stream_holds_no_key() -> None:
    _, error = broken(b"data: your key sk-not-to-be-shown is wrong\n\n")
    assert "not-to-be-shown" not in error.message and "is wrong" in error.message


def test_nothing_is_read_behind_an_event_that_breaks_the_stream() -> None:
    stream = openai_wire.Stream(True)
    assert stream.feed(chunk(content="Hi") + NO_CHUNKS[0]) and stream.done


def test_after_its_finish_reason_an_answer_is_whole_whatever_follows() -> None:
    stream = openai_wire.Stream(True)
    delta = stream.feed(chunk("stop", content="Hi") + NO_CHUNKS[0])
    stream.end("m")
    assert delta is not None and (delta.text, delta.finish) == ("Hi", "stop")


def test_of_several_choices_each_has_an_end_before_the_answer_is_whole() -> None:
    others = [event({"choices": [{"index": i, "delta": {}, "finish_reason": "stop"}]}) for i in (1, 2)]
    delta, error = broken(chunk("stop"), others[0], choices=3)
    assert delta is not None and delta.finish == "stop" and isinstance(error, StreamCutError)
    stream = openai_wire.Stream(True, choices=3)
    stream.feed(chunk("stop") + others[0] + others[1])
    stream.end("m")


def test_a_line_that_is_no_field_of_an_event_is_passed_over() -> None:
    """See https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation."""
    assert openai_wire.Stream(True).feed(chunk("eos").removeprefix(b"data: ")) is None


def test_an_event_of_several_lines_is_read_too() -> None:
    event = b'id: 1\nevent: message\ndata: {"choices": [{"index": 0,\ndata: "delta": {"content": "Hi"}}]}\n\n'
    assert fed(event).text == "Hi"


def test_only_the_first_of_several_choices_is_read_and_all_are_passed_on() -> None:
    other = event({"choices": [{"index": 1, "delta": {"content": "Ho"}, "finish_reason": None}]})
    delta = fed(chunk(content="Hi"), other)
    assert delta.text == "Hi"
    assert delta.raw == chunk(content="Hi") + other


def test_a_host_without_oddities_gets_the_fields_as_they_came() -> None:
    body = json.loads(
        openai_request.body(Request("m", (Message("user", "hi"),), rest={"max_tokens": 5}), Host(title="x"))
    )
    assert body == {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}


def test_anthropics_marks_and_fields_are_left_out_where_a_host_refuses_them() -> None:
    marked = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}
    tool = {"type": "function", "function": {"name": "f"}, "cache_control": {"type": "ephemeral"}}
    rest = {"thinking": {"type": "enabled"}, "top_k": 5, "cache_control": {}, "tools": [tool]}
    request = Request("m", (Message("user", [marked]), Message("assistant", "ho")), rest=rest)
    sent = json.loads(openai_request.body(request, hosts()["openai"]))
    assert set(sent) == {"model", "messages", "tools"} and b"cache_control" not in json.dumps(sent).encode()
    assert json.loads(openai_request.body(request))["messages"][0]["content"] == [marked]
    assert request.messages[0].content == [marked], "The request itself is as it was."
