"""Asks a running server through the OpenAI and Anthropic clients of LangChain and LlamaIndex, and says what came of it.

Run it with the Python of a virtual environment of its own, beside a server with any model that calls tools:

    python -m venv /tmp/clients
    /tmp/clients/bin/pip install langchain-openai langchain-anthropic \
        llama-index-llms-openai-like llama-index-embeddings-openai-like
    /tmp/clients/bin/python benchmarks/clients/check.py http://127.0.0.1:8000 openai/gpt-5.2 embedded/default
"""
# pyright: basic, reportMissingImports=false, reportFunctionMemberAccess=false

import asyncio
import importlib.metadata
import sys
from collections.abc import Callable

from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike

QUESTION = "What will the weather be in Zürich?"
PACKAGES = (
    "langchain-openai",
    "langchain-anthropic",
    "llama-index-llms-openai-like",
    "llama-index-embeddings-openai-like",
    "openai",
    "anthropic",
)


@tool
def weather(city: str, days: int = 1) -> str:
    """The weather of a city."""
    return f"It rains in {city} for {days} days."


def langchain_checks(chat: ChatOpenAI | ChatAnthropic) -> dict[str, Callable[[], object]]:
    """What a chat model of LangChain's is asked."""

    def tools() -> object:
        bound = chat.bind_tools([weather])
        called = bound.invoke([HumanMessage(QUESTION)])
        call = called.tool_calls[0]
        result = ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"])
        return bound.invoke([HumanMessage(QUESTION), called, result]).text

    async def alone() -> object:
        return "".join([chunk.text async for chunk in chat.astream(QUESTION)])

    return {
        "chat": lambda: chat.invoke(QUESTION).text,
        "stream": lambda: "".join(chunk.text for chunk in chat.stream(QUESTION)),
        "async stream": lambda: asyncio.run(alone()),
        "tools": tools,
        "usage": lambda: chat.invoke(QUESTION).usage_metadata,
    }


def llamaindex_checks(chat: OpenAILike, vectors: OpenAILikeEmbedding) -> dict[str, Callable[[], object]]:
    """What a model of LlamaIndex's is asked."""
    asked = [ChatMessage(role="user", content=QUESTION)]
    offered = FunctionTool.from_defaults(lambda city, days=1: f"{city} {days}", name="weather", description="Weather.")

    def tools() -> object:
        called = chat.chat_with_tools([offered], user_msg=QUESTION)
        call = chat.get_tool_calls_from_response(called)[0]
        result = ChatMessage(role="tool", content="It rains.", additional_kwargs={"tool_call_id": call.tool_id})
        return chat.chat([*asked, called.message, result]).message.content

    return {
        "chat": lambda: chat.chat(asked).message.content,
        "stream": lambda: "".join(chunk.delta or "" for chunk in chat.stream_chat(asked)),
        "complete": lambda: chat.complete(QUESTION).text,
        "tools": tools,
        "embeddings": lambda: len(vectors.get_text_embedding("a player")),
    }


def main(url: str, model: str, embedder: str) -> int:
    """Ask everything, print a table, and say by the exit status whether all of it went well."""
    openai = {"base_url": f"{url}/v1", "api_key": "unused", "max_retries": 0}
    langchain = OpenAIEmbeddings(model=embedder, check_embedding_ctx_length=False, **openai)
    legacy = OpenAI(model=model, **openai)
    like = OpenAILike(model=model, api_base=f"{url}/v1", api_key="unused", is_chat_model=True, max_retries=0)
    like.is_function_calling_model = True
    vectors = OpenAILikeEmbedding(model_name=embedder, api_base=f"{url}/v1", api_key="unused", max_retries=0)
    checks = {
        "LangChain, chat completions": langchain_checks(ChatOpenAI(model=model, **openai)),
        "LangChain, responses": langchain_checks(ChatOpenAI(model=model, use_responses_api=True, **openai)),
        "LangChain, messages": langchain_checks(
            ChatAnthropic(model=model, base_url=url, api_key="unused", max_tokens=200, max_retries=0)
        ),
        "LangChain, completions": {
            "complete": lambda: legacy.invoke(QUESTION),
            "stream": lambda: "".join(legacy.stream(QUESTION)),
            "batch": lambda: legacy.batch([QUESTION, QUESTION]),
        },
        "LangChain, embeddings": {"embeddings": lambda: len(langchain.embed_documents(["a player", "a match"])[1])},
        "LlamaIndex": llamaindex_checks(like, vectors),
    }
    failed = 0
    print("| client | what | outcome |\n|---|---|---|")
    for client, asked in checks.items():
        for what, check in asked.items():
            try:
                found = check()
                outcome = f"ok: {found!s:.60}" if found else "nothing"
            except Exception as error:  # noqa: BLE001 - whatever goes wrong is what the table shows
                outcome = f"{type(error).__name__}: {error!s:.120}"
            failed += not outcome.startswith("ok")
            print(f"| {client} | {what} | {' '.join(outcome.split())} |")
    print("\n" + ", ".join(f"{package} {importlib.metadata.version(package)}" for package in PACKAGES))
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
