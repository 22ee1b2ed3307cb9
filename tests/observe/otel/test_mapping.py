import json

import msgspec
import pytest
from tests.observe.otel.conftest import GOLDEN, JSON, SECOND, START, golden, map_one, sent
from tests.observe.otel.test_decode import NAMES

from regista.core.nouns import Hit, Json, Message, Usage
from regista.observe.otel import conventions
from regista.observe.otel.bounds import INT64
from regista.observe.otel.decode import decode
from regista.observe.otel.mapping import received
from regista.observe.otel.nouns import ERROR, Event, Received, Score

ANSWER = "Paris is the capital of France ☕ — naturally."
ASKED = ("What is the capital of France?", "How is the weather in Zürich?")


# What real SDKs send


@pytest.mark.parametrize("name", ["genai-latest", "openinference", "openllmetry"])
def test_every_convention_comes_to_the_same(name: str) -> None:
    chat, wish, result, stream, refused, embedding = golden(name)
    assert [span.stage for span in (chat, wish, result, stream, refused)] == ["generate"] * 5
    assert {span.model for span in (chat, wish, result, stream)} == {"good"}
    assert {span.provider for span in (chat, wish, result, stream, refused)} == {"openai"}
    assert chat.usage is not None and (chat.usage.input_tokens, chat.usage.output_tokens) == (12, 7)
    assert (chat.question, chat.answer) == (ASKED[0], ANSWER)
    assert chat.messages == (Message("system", "You are terse."), Message("user", ASKED[0]))
    assert [message.content for message in chat.answers] == [ANSWER]
    assert stream.answer == ANSWER and stream.duration_ns > 0
    assert (embedding.stage, embedding.model) == ("embed", "good-embed")
    assert embedding.usage is not None and embedding.usage.input_tokens == 2


@pytest.mark.parametrize("name", ["genai-latest", "openinference", "openllmetry"])
def test_a_tool_call_and_its_result_are_as_openai_has_them(name: str) -> None:
    _, wish, result, *_ = golden(name)
    (call,) = wish.answers[0].tool_calls
    assert (call.id, call.name, json.loads(call.arguments)) == ("call_1", "weather", {"city": "Zürich", "days": 2})
    assert wish.answer.startswith("weather({") and wish.question == ASKED[1]
    assert [message.role for message in result.messages] == ["user", "assistant", "tool"]
    assert result.messages[1].tool_calls[0].name == "weather"
    assert (result.messages[2].content, result.messages[2].rest["tool_call_id"]) == ("rain, 12 °C", "call_1")


@pytest.mark.parametrize("name", ["genai-latest", "genai-1.30", "openinference", "openllmetry"])
def test_a_refusal_is_an_error_with_its_reason(name: str) -> None:
    refused = golden(name)[4]
    assert (refused.status, refused.answer, refused.usage) == ("error", "", None)
    assert "429" in refused.error


def test_what_the_provider_read_from_its_cache_is_known_where_it_is_told() -> None:
    for name in ("openinference", "openllmetry"):
        usage = golden(name)[0].usage
        assert usage is not None and usage.cached_tokens == 4


def test_the_first_token_of_a_stream_is_an_event_in_some() -> None:
    for name in ("openinference", "openllmetry"):
        stream = golden(name)[3]
        assert 0 < stream.first_token_ns <= stream.duration_ns
    assert not golden("openinference")[0].first_token_ns


def test_a_chain_of_openinference_is_read() -> None:
    spans = {span.name: span for span in golden("openinference-rag")}
    assert {name: span.stage for name, span in spans.items()} == {
        "answer": "chain",
        "search": "retrieve",
        "check": "guard",
        "oven": "tools",
        "ChatCompletion": "generate",
    }
    assert {(span.session, span.user) for span in spans.values()} == {("session-7", "user-3")}
    assert spans["search"].documents == (
        Hit("bread.md", 0, 25, "Bread is baked at 250 °C.", 0.91),
        Hit("cake.md", 0, 24, "Cake is baked at 180 °C.", 0.42),
    )
    assert (spans["oven"].question, spans["oven"].answer) == ('{"celsius": 250}', "set to 250")
    assert spans["ChatCompletion"].question == spans["answer"].question == "How hot is the oven for bread?"
    assert spans["answer"].attributes["tag.tags"] == ["shop"]
    assert {span.parent_id for name, span in spans.items() if name != "answer"} == {spans["answer"].id}


def test_messages_that_are_events_are_read() -> None:
    agent, chat, tool = golden("genai-events")
    assert (agent.stage, agent.session, agent.provider) == ("agent", "conv-1", "openai")
    assert chat.messages == (Message("system", "You bake."), Message("user", "Is it done?"))
    assert chat.answers == (Message("assistant", "Five minutes.", {"finish_reason": "stop"}),)
    assert (chat.question, chat.answer, chat.model) == ("Is it done?", "Five minutes.", "gpt-x-2026-01-01")
    assert chat.usage == Usage(31, 5)
    (score,) = chat.scores
    assert (score.name, score.value, score.label, score.explanation) == ("Relevance", 0.8, "relevant", "It answers.")
    assert (tool.stage, tool.status, tool.question) == ("tools", "error", '{"minutes": 5}')
    assert tool.error == "TimeoutError: the timer does not answer"


def test_json_from_another_language_is_read() -> None:
    decoded = decode((GOLDEN / "javascript.json").read_bytes(), JSON)
    spans = {span.stage: span for span in map(received, decoded.spans)}
    chat, tool, agent = spans["generate"], spans["tools"], spans["agent"]
    assert not decoded.rejected and {chat.parent_id, tool.parent_id} == {agent.id}
    assert (chat.model, chat.provider, chat.first_token_ns) == ("claude-x", "anthropic", SECOND // 4)
    assert chat.usage == Usage(31, 5, cached_tokens=20, cache_write_tokens=4)
    assert chat.messages == (Message("system", "You bake."), Message("user", "Is it done? 🥖"))
    assert chat.answers == (
        Message("assistant", "Five minutes.", {"finish_reason": "stop", "reasoning_content": "Hm."}),
    )
    assert [(score.name, score.value) for score in chat.scores] == [("tone", 1.0)]
    assert (tool.status, tool.error, tool.links) == ("error", "RangeError: too hot", ((agent.trace_id, agent.id),))
    assert tool.attributes == {"gen_ai.tool.name": "oven", "loud": True, "steps": [1, 2.5, 3], "empty": []}
    assert agent.session == "conv-2"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_a_real_sdk_sends_is_dropped(name: str) -> None:
    assert not any(span.dropped for span in golden(name))


# What the tables say


@pytest.mark.parametrize(("attribute", "kind"), [(a, k) for a, kinds in conventions.STAGES.items() for k in kinds])
def test_every_kind_has_its_stage(attribute: str, kind: str) -> None:
    for said in (kind, kind.upper()):
        found = map_one(**{attribute: said})
        assert found.stage == conventions.STAGES[attribute][kind] and not found.attributes


def test_a_span_that_does_not_say_what_it_is_shows_it() -> None:
    assert map_one(gen_ai__request__model="m").stage == "generate"
    assert map_one(tool__name="t").stage == "tools"
    assert map_one(http__method="GET").stage == "other"
    assert map_one(openinference__span__kind="SPACESHIP").attributes == {"openinference.span.kind": "SPACESHIP"}


@pytest.mark.parametrize(
    ("field", "name"),
    [(slot, name) for slot, names in conventions.TEXTS.items() for name in names if slot in Received.__struct_fields__],
)
def test_every_name_of_a_text_is_read(field: str, name: str) -> None:
    assert getattr(map_one(**{name: "said"}), field) == "said"


@pytest.mark.parametrize(
    ("field", "name"), [(slot, name) for slot, names in conventions.COUNTS.items() for name in names]
)
@pytest.mark.parametrize("value", [7, "7", 7.0])
def test_every_name_of_a_count_is_read(field: str, name: str, value: object) -> None:
    assert map_one(**{name: value}).usage == Usage(**{field: 7})


def test_of_several_names_the_first_counts_and_the_others_stay() -> None:
    for attributes in (
        {"gen_ai.response.model": "exact", "gen_ai.request.model": "alias", "llm.model_name": "other"},
        {"llm.model_name": "other", "gen_ai.request.model": "alias", "gen_ai.response.model": "exact"},
    ):
        found = map_one(**attributes)
        assert found.model == "exact"
        assert found.attributes == {"gen_ai.request.model": "alias", "llm.model_name": "other"}


def test_what_cannot_be_what_its_name_says_stays_an_attribute() -> None:
    wrong: Json = {
        "gen_ai.usage.input_tokens": "many",
        "gen_ai.usage.output_tokens": True,
        "llm.token_count.prompt": [1],
        "gen_ai.request.model": {"a": 1},
        "llm.cost.total": float("nan"),
        "gen_ai.response.time_to_first_chunk": -1.0,
    }
    found = map_one(**wrong)
    assert str(found.attributes) == str(wrong)
    assert (found.usage, found.model, found.cost_nano, found.first_token_ns) == (None, "", None, 0)


def test_figures_are_in_our_units() -> None:
    found = map_one(llm__cost__total=0.0025, gen_ai__response__time_to_first_chunk=0.5)
    assert (found.cost_nano, found.first_token_ns) == (2_500_000, 500_000_000)
    assert map_one(gen_ai__usage__input_tokens=-3).usage == Usage()
    assert map_one(gen_ai__usage__input_tokens=1e300).usage == Usage(INT64)
    assert map_one(llm__cost__total=1e300).cost_nano == INT64


def test_times_that_run_backwards_are_no_time() -> None:
    span = msgspec.structs.replace(sent(), start_ns=START + SECOND, end_ns=START)
    assert received(span).duration_ns == 0


# Messages


@pytest.mark.parametrize("as_text", [False, True])
def test_parts_of_the_latest_conventions_are_read(as_text: bool) -> None:
    told: list[Json] = [
        {"role": "system", "parts": [{"type": "text", "content": "Be kind."}]},
        {"role": "user", "parts": [{"type": "text", "content": "What is it?"}, {"type": "image", "image_url": "u"}]},
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Hm."},
                {"type": "tool_call", "id": "a", "name": "look", "arguments": {"at": 1}},
                {"type": "tool_call", "id": "b", "name": "look", "arguments": "{}"},
            ],
        },
        {
            "role": "tool",
            "parts": [
                {"type": "tool_call_response", "id": "a", "response": {"seen": True}},
                {"type": "tool_call_response", "id": "b", "result": "nothing"},
            ],
        },
        {"role": "user", "parts": [{"type": "blob", "content": "AAAA", "mime_type": "image/png"}]},
    ]
    found = map_one(
        gen_ai__input__messages=json.dumps(told) if as_text else told,
        gen_ai__system_instructions=[{"type": "text", "content": "First of all."}],
    )
    first, system, user, assistant, seen, nothing, blob = found.messages
    assert (first, system) == (Message("system", "First of all."), Message("system", "Be kind."))
    assert user.content == [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": "u"}}]
    assert assistant.content is None and assistant.rest["reasoning_content"] == "Hm."
    assert [(call.id, call.arguments) for call in assistant.tool_calls] == [("a", '{"at":1}'), ("b", "{}")]
    assert (seen.content, seen.rest) == ('{"seen":true}', {"tool_call_id": "a"})
    assert (nothing.content, nothing.rest) == ("nothing", {"tool_call_id": "b"})
    assert blob.content == [{"type": "blob", "content": "AAAA", "mime_type": "image/png"}]
    assert found.question == "What is it?" or not found.question


def test_contents_of_openinference_are_read_in_the_order_of_their_indices() -> None:
    message = "llm.input_messages.{}.message."
    found = map_one(
        **{
            message.format(10) + "content": "eleventh",
            message.format(10) + "role": "user",
            message.format(2) + "role": "user",
            message.format(2) + "contents.1.message_content.type": "image",
            message.format(2) + "contents.1.message_content.image.image.url": "https://a/b.png",
            message.format(2) + "contents.0.message_content.type": "text",
            message.format(2) + "contents.0.message_content.text": "Look:",
        }
    )
    assert found.messages == (
        Message(
            "user",
            [{"type": "text", "text": "Look:"}, {"type": "image_url", "image_url": {"url": "https://a/b.png"}}],
        ),
        Message("user", "eleventh"),
    )
    assert found.question == "eleventh" and not found.attributes


def test_a_value_meant_to_be_read_goes_before_messages_and_a_whole_request_behind_them() -> None:
    messages: Json = {"llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "said"}
    assert map_one(**{"input.value": "shown", **messages}).question == "shown"
    whole = map_one(**{"input.value": '{"model": 1}', "input.mime_type": "application/json", **messages})
    assert (whole.question, whole.attributes) == ("said", {"input.value": '{"model": 1}'})
    assert map_one(**{"input.value": '{"a": 1}', "input.mime_type": "application/json"}).question == '{"a": 1}'


def test_a_list_in_one_attribute_of_old_is_read() -> None:
    found = map_one(gen_ai__prompt='[{"role": "user", "content": "hi"}]', gen_ai__completion="hello")
    assert (found.messages, found.answers) == ((Message("user", "hi"),), (Message("assistant", "hello"),))


def test_events_that_hold_everything_are_read() -> None:
    details = Event(
        conventions.DETAILS,
        0,
        {"gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "a"}]}]'},
    )
    content = Event("gen_ai.content.completion", 0, {"gen_ai.completion": '[{"role": "assistant", "content": "b"}]'})
    choice = Event("gen_ai.choice", 0, {"gen_ai.event.content": '{"index": 0, "message": {"content": "c"}}'})
    found = received(sent(details, content, choice))
    assert found.messages == (Message("user", "a"),)
    assert found.answers == (Message("assistant", "b"), Message("assistant", "c"))


def test_scores_of_openinference_are_read() -> None:
    found = map_one(
        **{
            "evaluations.0.evaluation.name": "relevance",
            "evaluations.0.evaluation.score": 1,
            "evaluations.0.evaluation.label": "relevant",
            "trace.annotations.0.annotation.name": "tone",
            "trace.annotations.0.annotation.explanation": "It is friendly.",
        }
    )
    assert found.scores == (
        Score("relevance", 1.0, "relevant", "", START + SECOND, "span"),
        Score("tone", None, "", "It is friendly.", START + SECOND, "trace"),
    )


def test_who_left_is_no_failure() -> None:
    found = received(sent(status=ERROR, error__type="CancelledError"))
    assert (found.status, found.error) == ("cancelled", "")
    named = received(sent(status=ERROR, message="no room", error__type="RateLimitError"))
    assert (named.status, named.error) == ("error", "RateLimitError: no room")
    assert received(sent(status=ERROR, error__type="_OTHER")).error == ""
    assert received(sent(error__type="timeout")).status == "ok"
