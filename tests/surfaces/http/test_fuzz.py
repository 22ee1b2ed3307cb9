"""Whatever JSON comes to whatever endpoint, the answer is a 2xx or a 4xx with a reason: never a 500, never nothing."""

import copy
import json
from typing import Any, cast

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live

MODELS = ["shop", "openai/good", "anthropic/claude", "echo/mirror", "embedded/default", "nobody/x", ""]
scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
anything: st.SearchStrategy[Any] = st.recursive(
    scalars | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
texts = st.text(max_size=12) | anything
roles = st.sampled_from(["user", "assistant", "system", "developer", "tool", "function", "robot"]) | anything
kinds = st.sampled_from(
    [
        "text", "image_url", "file", "input_text", "output_text", "input_image", "input_file", "input_audio", "refusal",
        "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking", "function", "message",
        "function_call", "function_call_output", "reasoning", "item_reference", "json_schema", "json_object", "custom",
        "auto", "any", "none", "allowed_tools", "base64", "url",
    ]
) | anything  # fmt: skip


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


source = some(type=kinds, media_type=texts, data=texts, url=texts)
function = some(name=texts, arguments=texts, parameters=anything, description=texts, strict=anything)
parts: st.SearchStrategy[Any] = st.deferred(
    lambda: some(
        type=kinds,
        text=texts,
        image_url=some(url=texts) | texts,
        file=anything,
        file_data=texts,
        input_audio=anything,
        refusal=texts,
        source=source | anything,
        title=texts,
        id=texts,
        name=texts,
        input=anything,
        tool_use_id=texts,
        content=content,
        is_error=anything,
        thinking=texts,
        signature=texts,
        data=texts,
        cache_control=anything,
    )
)
content: st.SearchStrategy[Any] = texts | st.lists(parts | anything, max_size=3)
calls = st.lists(some(id=texts, type=kinds, function=function | anything) | anything, max_size=2)
messages = st.lists(
    some(role=roles, content=content, tool_calls=calls | anything, tool_call_id=texts, name=texts) | anything,
    max_size=4,
)
items = st.lists(
    some(
        type=kinds, role=roles, content=content, call_id=texts, name=texts, arguments=texts, output=content,
        summary=anything, encrypted_content=texts, id=texts,
    )
    | anything,
    max_size=4,
)  # fmt: skip
tools = st.lists(
    some(
        type=kinds,
        name=texts,
        function=function | anything,
        parameters=anything,
        input_schema=anything,
        strict=anything,
    )
    | anything,
    max_size=2,
)
choice = (
    st.sampled_from(["auto", "none", "required"]) | some(type=kinds, name=texts, mode=texts, tools=tools) | anything
)
bodies = some(
    model=st.sampled_from(MODELS) | anything,
    messages=messages | anything,
    input=items | content | st.lists(st.lists(st.integers(0, 9), max_size=2), max_size=2),
    prompt=texts | st.lists(texts, max_size=3),
    system=content,
    instructions=texts,
    max_tokens=st.integers(-1, 9) | anything,
    max_output_tokens=st.integers(-1, 9) | anything,
    stream=st.booleans() | anything,
    stream_options=some(include_usage=anything) | anything,
    tools=tools | anything,
    tool_choice=choice,
    temperature=st.floats(-1, 3) | anything,
    n=st.integers(-1, 3) | anything,
    logprobs=st.booleans() | st.integers(-1, 6) | anything,
    top_logprobs=st.integers(-1, 21) | anything,
    echo=anything,
    stop=anything,
    stop_sequences=anything,
    response_format=some(type=kinds, json_schema=some(name=texts, schema=anything)) | anything,
    text=some(format=some(type=kinds, name=texts, schema=anything)) | anything,
    output_config=some(effort=texts, format=some(type=kinds, schema=anything)) | anything,
    thinking=some(type=texts, budget_tokens=anything) | anything,
    reasoning=some(effort=texts) | anything,
    reasoning_effort=texts,
    metadata=some(user_id=texts) | anything,
    include=anything,
    dimensions=anything,
    encoding_format=anything,
    previous_response_id=anything,
    user=texts,
)
FUNCTION: Any = {"name": "f", "description": "d", "parameters": {"type": "object"}}
CALL: Any = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
PIXEL = "data:image/png;base64,iVBORw0KGgo="
SCHEMA: Any = {"type": "object", "properties": {"a": {"type": "string"}}}
CHAT: list[Any] = [
    {"role": "system", "content": "s"},
    {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": PIXEL}}]},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "a", "content": "r"},
]
TURNS: list[Any] = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
            {"type": "document", "source": {"type": "text", "data": "d"}, "title": "t"},
        ],
    },
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "h", "signature": "c2ln"},
            {"type": "text", "text": "x"},
            {"type": "tool_use", "id": "a", "name": "f", "input": {"b": 1}},
        ],
    },
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "r", "is_error": True}]},
]
ITEMS: list[Any] = [
    {"role": "user", "content": [{"type": "input_text", "text": "x"}, {"type": "input_image", "image_url": PIXEL}]},
    {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "h"}], "encrypted_content": "c2ln"},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x"}]},
    {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "a", "output": [{"type": "input_text", "text": "r"}]},
]
COUNTED: Any = {
    "messages": TURNS,
    "system": [{"type": "text", "text": "s"}],
    "tools": [{"name": "f", "input_schema": SCHEMA}],
    "tool_choice": {"type": "tool", "name": "f"},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
}
WELL: dict[str, Any] = {
    "/v1/chat/completions": {
        "messages": CHAT,
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": [{"type": "function", "function": FUNCTION}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
        "stop": ["END"],
        "temperature": 0.5,
        "reasoning_effort": "low",
        "metadata": {"user_id": "u"},
    },
    "/v1/completions": {"prompt": ["x", "y"], "n": 2, "logprobs": 2, "stop": ["END"], "max_tokens": 5, "stream": True},
    "/v1/responses": {
        "input": ITEMS,
        "instructions": "s",
        "stream": True,
        "tools": [{"type": "function", **FUNCTION}],
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}, "verbosity": "low"},
        "reasoning": {"effort": "low"},
        "include": ["reasoning.encrypted_content"],
        "metadata": {"a": "b"},
    },
    "/v1/messages": {**COUNTED, "max_tokens": 9, "stream": True, "metadata": {"user_id": "u"}, "stop_sequences": ["E"]},
    "/v1/messages/count_tokens": COUNTED,
    "/v1/embeddings": {"input": ["x", "y"], "encoding_format": "float", "dimensions": 3, "user": "u"},
}
"""A request of each endpoint with much of what it can have."""
PATHS = list(WELL)


def places(body: object) -> list[tuple[Any, Any]]:
    """Every place in a body, as what holds it and where in that it stands."""
    found: list[tuple[Any, Any]] = []
    inner: list[tuple[Any, Any]] = []
    if isinstance(body, dict):
        inner = [*cast("dict[str, Any]", body).items()]
    elif isinstance(body, list):
        inner = [*enumerate(cast("list[Any]", body))]
    for key, value in inner:
        found.append((cast("Any", body), key))
        found += places(value)
    return found


@st.composite
def altered(draw: st.DrawFn, path: str) -> Any:
    """A well-formed request in which one to three things are something else, or gone."""
    body: Any = {"model": draw(st.sampled_from(MODELS[:5])), **copy.deepcopy(WELL[path])}
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(places(body)))
        if draw(st.booleans()):
            holder[key] = draw(anything | kinds)
        else:
            del holder[key]
        if not body:
            break
    return body


SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


@pytest.fixture(scope="module")
def client() -> Any:
    with httpx2.Client(timeout=30) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("model", ["shop", "openai/good", "anthropic/claude"])
def test_the_requests_that_are_altered_are_well_formed(
    live: Live, upstream: Upstream, client: httpx2.Client, path: str, model: str
) -> None:
    refused = {"/v1/embeddings": ("shop", "anthropic/claude"), "/v1/completions": ("shop", "anthropic/claude")}
    answer = client.post(live.url + path, json={"model": model, **WELL[path]})
    assert answer.status_code == 200 or model in refused.get(path, ()), answer.text


ODD: list[Any] = [None, [], {}, 7, "odd", [[1]], {"type": {}}]


def accepted(answer: httpx2.Response) -> None:
    """Answered, or refused with a reason."""
    if answer.status_code != 200:
        error = answer.json()["error"]
        # A model that does not keep to a schema fails; the request does not.
        assert 400 <= answer.status_code < 500 or error["code"] == "invalid_output", answer.text
        assert error["message"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("model", ["shop", "anthropic/claude"])
def test_any_one_thing_may_be_something_else(
    live: Live, upstream: Upstream, client: httpx2.Client, path: str, model: str
) -> None:
    for place in range(len(places(WELL[path]))):
        for odd in ODD:
            body: Any = copy.deepcopy(WELL[path])
            holder, key = places(body)[place]
            holder[key] = odd
            accepted(client.post(live.url + path, json={"model": model, **body}))


@pytest.mark.parametrize("path", PATHS)
def test_no_json_brings_it_down(live: Live, running_upstream: Upstream, client: httpx2.Client, path: str) -> None:
    running_upstream.forget()

    @settings(max_examples=200, suppress_health_check=SLOW)
    @given(altered(path) | altered(path) | bodies | anything)
    def answered(body: object) -> None:
        answer = client.post(live.url + path, content=json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))
        accepted(answer)

    answered()


@pytest.mark.parametrize("path", PATHS)
def test_no_bytes_bring_it_down(live: Live, client: httpx2.Client, path: str) -> None:
    @settings(max_examples=40, suppress_health_check=SLOW)
    @given(st.binary(max_size=64))
    def answered(body: bytes) -> None:
        assert client.post(live.url + path, content=body).status_code == 400

    answered()
