"""What a provider sealed while it thought comes to the client, and back to the provider word for word.

https://platform.claude.com/docs/en/build-with-claude/extended-thinking#preserving-thinking-blocks
"""

import json
from pathlib import Path

import httpx2
from openai import OpenAI
from tests._upstream import answers
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live, Start, write

from regista.core.nouns import Json

SEALED = {"type": "thinking", "thinking": answers.THOUGHT, "signature": answers.SIGNATURE}
TOOL: Json = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
TOOLS = '''
from regista import tool

@tool()
def weather(city: str, days: int) -> str:
    """The weather in a city."""
    return f"{city}: {days} days of rain"
'''


def ask(live: Live, *messages: Json, **fields: object) -> httpx2.Response:
    body = {"model": "anthropic/claude", "messages": list(messages), **fields}
    return httpx2.post(f"{live.url}/v1/chat/completions", json=body, timeout=30).raise_for_status()


def test_a_sealed_thought_goes_to_the_client_and_back_to_its_provider(live: Live, upstream: Upstream) -> None:
    asked = {"role": "user", "content": "Rain tomorrow?"}
    message = ask(live, asked, tools=[TOOL]).json()["choices"][0]["message"]
    assert message["reasoning_content"] == answers.THOUGHT
    assert message["thinking_blocks"] == [SEALED]
    result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "yes"}
    assert ask(live, asked, message, result, tools=[TOOL]).json()["choices"][0]["message"]["content"] == answers.ANSWER
    turn = upstream.requests[-1].json["messages"][1]["content"]
    assert [block["type"] for block in turn] == ["thinking", "tool_use"]
    assert turn[0] == SEALED


def test_a_streamed_thought_can_be_put_together_and_sent_back(live: Live, upstream: Upstream) -> None:
    client = OpenAI(base_url=f"{live.url}/v1", api_key="none", max_retries=0)
    stream = client.chat.completions.create(
        model="anthropic/claude", messages=[{"role": "user", "content": "And the day after?"}], stream=True
    )
    deltas = [chunk.choices[0].delta.model_dump() for chunk in stream if chunk.choices]
    assert "".join(delta.get("reasoning_content") or "" for delta in deltas) == answers.THOUGHT
    blocks = [block for delta in deltas for block in delta.get("thinking_blocks") or ()]
    assert blocks == [{"index": 0, **SEALED}]
    said = {"role": "assistant", "content": answers.ANSWER, "thinking_blocks": blocks}
    ask(live, {"role": "user", "content": "And the day after?"}, said, {"role": "user", "content": "Sure?"})
    turn = upstream.requests[-1].json["messages"][1]["content"]
    assert turn[0] == SEALED, "The index is the stream's, and Anthropic refuses fields it does not know."


def test_the_tool_loop_gives_a_thought_back_with_the_results(start: Start, tmp_path: Path, upstream: Upstream) -> None:
    write(tmp_path / "shop", "")
    (tmp_path / "shop" / "tools.py").write_text(TOOLS)
    model = f'[models.default]\nmodel = "anthropic/claude"\nbase_url = "{upstream.url()}"\n'
    answered = start('[app]\nname = "shop"\n[agents]\ntools = "tools.py"\n' + model).ask("shop", "Rain?")
    message = answered.json()["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"]) == (answers.ANSWER, answers.THOUGHT * 2)
    assert "thinking_blocks" not in message, "The turns they belong to are not the client's."
    first, second = (seen.json for seen in upstream.requests)
    assert [tool["name"] for tool in first["tools"]] == ["weather"]
    turn, results = second["messages"][-2:]
    assert turn["content"][0] == SEALED
    assert "2 days of rain" in json.dumps(results["content"])
