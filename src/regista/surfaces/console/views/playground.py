"""The playground: a prompt's text, edited or not, asked of models side by side. No file is written."""

import asyncio
import re
import time
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import msgspec

from regista.app import replaying
from regista.app.platform import Platform
from regista.app.replaying import key_of
from regista.core.errors import NotFoundError, RegistaError, RequestError
from regista.core.nouns import Hit, Json, Message, Request
from regista.prompts.file import LARGEST_PROMPT, PromptFile, parse
from regista.prompts.problems import PromptError
from regista.prompts.template import HISTORY
from regista.prompts.variables import VARIABLES, values
from regista.serve.stages.write_prompt import form_of
from regista.store import Database
from regista.store.keys import Key
from regista.store.trace_pages import Wanted, page
from regista.surfaces.console.forms import Form
from regista.surfaces.console.patches import MOST, patch
from regista.surfaces.console.views.prompts import prompt_of

STAGE = "playground"
COLUMNS = 3
SAMPLES = 5
"""Answers a column, at most."""
SECONDS = 120.0
"""How long an answer may take before it is given up."""
AT_ONCE = 4
"""Answers that are made at once."""
CANARY = "canary"
"""What stands for the secret word of the prompt, which no answer is screened for here."""
_TYPES: dict[str, Any] = {
    **{"string": str, "array": list[Any], "object": dict[str, Any]},
    **{"integer": int, "number": int | float, "boolean": bool},
}
_ID = re.compile(r"[0-9a-f]{32}")
OWN = "variable."
"""What the fields of a prompt's own variables are called, before their names."""


async def show(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """The page before anything is asked: the file's text, and the variables of a trace, the newest if none is named."""
    prompt = prompt_of(platform.application.folder, rest)
    said = await asyncio.to_thread(_said, platform.database, platform.application.name, query.get("trace", ""))
    models = _models(platform)
    usual = platform.application.folder.settings.models[platform.application.folder.settings.app.model].model
    first = usual if usual in models.values() else next(iter(models.values()), "")
    columns = [_column(n, first if n == 0 else "", prompt.text) for n in range(COLUMNS)]
    own = {name: _written(prompt.template.defaults.get(name, "")) for name in _own(prompt)}
    return await asyncio.to_thread(_page, platform, prompt, columns, said | {"own": own}, 1)


async def run(platform: Platform, form: Form, rest: str) -> Json:
    """Ask the models, and show what they answered beside what was asked."""
    prompt = prompt_of(platform.application.folder, rest)
    given = form.values
    columns = [_column(n, given.get(f"model{n}", ""), _plain(given.get(f"text{n}", ""))) for n in range(COLUMNS)]
    samples = _samples(given.get("samples", "1"))
    own = {name.removeprefix(OWN): _plain(value) for name, value in given.items() if name.startswith(OWN)}
    said: Json = {name: _plain(given.get(name, "")) for name in ("question", "history", "hits")} | {"own": own}
    said |= {"trace": given["trace"] if _ID.fullmatch(given.get("trace", "")) else "", "problem": ""}
    key = await asyncio.to_thread(key_of, platform.database, form.by)
    gate = asyncio.Semaphore(AT_ONCE)
    for column in columns:
        if column["model"]:
            _check(platform, column["model"])
            await asyncio.to_thread(_prepare, rest, column, said)
    asked = [column for column in columns if column["request"] is not None]
    if not any(column["model"] for column in columns):
        raise RequestError("Choose a model for one column at least.", param="model0")
    of = rest, said["trace"]
    made = [[_ask(platform, of, column["request"], key, gate) for _ in range(samples)] for column in asked]
    answers = await asyncio.gather(*(one for each in made for one in each))
    for n, column in enumerate(asked):
        column["answers"] = answers[n * samples : (n + 1) * samples]
    return await asyncio.to_thread(_page, platform, prompt, columns, said, samples)


def _page(platform: Platform, prompt: PromptFile, columns: list[Json], said: Json, samples: int) -> Json:
    name = prompt.prompt.name
    path = f"prompts/{name}.prompt"
    for column in columns:
        column["patch"] = patch(prompt.text, column["text"], path)
        column["edited"] = column["text"] != prompt.text
        column.pop("request")
    return {
        "name": name,
        "columns": columns,
        "said": said,
        "samples": samples,
        "most": SAMPLES,
        "models": _models(platform),
        "variables": sorted(prompt.template.names),
        "path": path,
        "longest": MOST,
    }


def _column(n: int, model: str, text: str) -> Json:
    """A column of the page: what is asked of what, and what came of it."""
    return {"n": n, "model": model, "text": text, "request": None, "problems": [], "answers": []}


def _models(platform: Platform) -> dict[str, str]:
    """The models of the application by their names in it, but pools, which answer as one of them."""
    settings = platform.application.folder.settings
    return {name: model.model for name, model in settings.models.items() if model.model and not model.balance}


def _check(platform: Platform, model: str) -> None:
    known = _models(platform)
    if model not in known.values():
        raise NotFoundError(f"{model[:80]!r} is none of the application's models: {', '.join(known.values())}.")


def _own(prompt: PromptFile) -> list[str]:
    """The variables of a prompt beside those of the request path."""
    return sorted(prompt.template.names - VARIABLES.keys())


def _prepare(name: str, column: Json, said: Json) -> None:
    """Write the prompt of a column, or say what is wrong with it and where. CPU."""
    try:
        prompt = parse(name, column["text"])
        for own in _own(prompt):
            said["own"].setdefault(own, _written(prompt.template.defaults.get(own, "")))
        column["request"] = _request(prompt, column["model"], said)
    except PromptError as error:
        source = column["text"].split("\n")
        column["problems"] = [
            {"line": one.line, "message": one.message, "source": source[one.line - 1] if one.line else ""}
            for one in error.problems
        ]
    except RegistaError as error:
        column["problems"] = [{"line": 0, "message": error.message, "source": ""}]


def _request(prompt: PromptFile, model: str, said: Json) -> Request:
    """What the model is asked: the prompt around the conversation, as an application writes it."""
    before = _records(said["history"], "history", ("role", "content"))
    history = [Message(one["role"], one["content"]) for one in before]
    found = _records(said["hits"], "hits", ("document", "text"))
    hits = tuple(Hit(one["document"], 0, len(one["text"]), one["text"], 0.0, one.get("title", "")) for one in found)
    filled: dict[str, Any] = values(said["question"], hits, history, CANARY)
    filled |= _own_values(prompt, said["own"])
    messages: list[Message] = []
    for turn in prompt.template.render(filled):
        messages += history if turn == HISTORY else [Message(turn.role, turn.text)]
    form = form_of(prompt)
    return Request(model, tuple(messages), hits=hits, rest={"response_format": form} if form else {})


def _own_values(prompt: PromptFile, given: Mapping[str, str]) -> Json:
    """What was written for a prompt's own variables, as what they are: a list, say, is written as JSON."""
    declared = prompt.prompt.input.get("schema", {}).get("properties", {})
    found: Json = {}
    for name in _own(prompt):
        usual, text = prompt.template.defaults.get(name, ""), given.get(name, "")
        wanted = _TYPES.get(str(declared.get(name, {}).get("type", "")), Any if usual is None else type(usual))
        if text:
            try:
                found[name] = text if wanted is str else msgspec.json.decode(text, type=wanted)
            except msgspec.DecodeError as error:
                raise RequestError(f"{name} is not what the prompt takes, in JSON: {error}.", param=name) from None
    return found


def _records(text: str, name: str, needs: tuple[str, ...]) -> list[dict[str, str]]:
    """A list of records of text from JSON; none where nothing is written."""
    try:
        found = msgspec.json.decode(text, type=list[dict[str, str]]) if text.strip() else []
    except msgspec.DecodeError as error:
        raise RequestError(f"{name} is no list of records in JSON: {error}.", param=name) from None
    if any(need not in one for one in found for need in needs):
        raise RequestError(f"Each of {name} needs {' and '.join(needs)}.", param=name)
    return found


async def _ask(platform: Platform, of: tuple[str, str], request: Request, key: Key, gate: asyncio.Semaphore) -> Json:
    """One answer with what it took, or why there is none. It is traced and priced like any other.

    `of` are the prompt, and the trace whose words were filled in: who erases that finds this one by it.
    """
    name, trace_id = of
    async with gate:
        begun = time.perf_counter_ns()
        error, serving = "", None
        try:
            serving = platform.serve(request, key, fresh=True)
            with serving.exchange.recorder.span(STAGE, trace_id) as span:
                span.decide("asked", f"a text of the prompt {name}, by itself")
            async with asyncio.timeout(SECONDS), aclosing(serving.deltas()) as deltas:
                async for _ in deltas:
                    pass
        except RegistaError as failure:
            error = failure.message
        except TimeoutError:
            error = f"It was given up after {SECONDS:.0f} seconds."
        took = time.perf_counter_ns() - begun
        trace = serving.trace if serving is not None else None
        return {
            "text": serving.response.text if serving is not None else "",
            "error": error,
            "trace": trace.id if trace is not None else "",
            "usage": trace.usage if trace is not None else None,
            "cost_nano": trace.cost_nano if trace is not None else None,
            "duration_ns": trace.duration_ns if trace is not None else took,
            "first_token_ns": trace.first_token_ns if trace is not None else 0,
        }


def _said(database: Database, application: str, trace: str) -> Json:
    """What was asked in a trace and before it; `problem` says why nothing of it can be filled in."""
    said = {"trace": "", "question": "", "history": "", "hits": "", "problem": ""}
    newest = [one.id for one in page(database, Wanted(application=application), 1)] if not trace else [trace]
    if not newest:
        return said
    asked = replaying.asked(database, newest[0])
    if asked.problem:
        return said | {"problem": asked.problem if trace else ""}
    before = [{"role": one.role, "content": one.text} for one in replaying.messages(asked)[:-1]]
    history = msgspec.json.format(msgspec.json.encode(before)).decode() if before else ""
    return said | {"trace": asked.trace, "question": asked.question, "history": history}


def _samples(given: str) -> int:
    if given not in [str(n) for n in range(1, SAMPLES + 1)]:
        raise RequestError(f"'samples' is {given[:20]!r}: give a number from 1 to {SAMPLES}.", param="samples")
    return int(given)


def _plain(text: str) -> str:
    """What was written in a form, where every line ends in two characters."""
    return text.replace("\r\n", "\n")[: LARGEST_PROMPT + 1]


def _written(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
