"""How answers are drawn, formed and chosen, by what an application configures, through the official SDK."""

import json
from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import Any

import openai
import pytest
from pydantic import BaseModel
from tests.surfaces.http.conftest import Live, Start, write

from regista.store import connect

CITY = '{"city": "Rome", "days": 3}'
FORMED = '---\noutput:\n  schema: {city: string, days: integer}\n---\n{{role "user"}}{{question}}'


class City(BaseModel):
    city: str
    days: int


@contextmanager
def sdk(live: Live) -> Generator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{live.url}/v1", api_key="unused", max_retries=0) as client:
        yield client


def ledger(live: Live) -> list[tuple[Any, ...]]:
    """Why models were called, and how often, once the server has ended."""
    live.stop()
    with closing(connect(f"sqlite://{live.folder / '.regista' / 'regista.db'}")) as database:
        return database.query("SELECT cause, count(*) FROM ledger GROUP BY cause ORDER BY cause")


def shop(*answers: str, **options: Any) -> str:
    written = "".join(f"{name} = {json.dumps(value)}\n" for name, value in options.items())
    model = f'[models.default]\nmodel = "scripted/m"\nanswers = {json.dumps(answers)}\n{written}'
    return f'[app]\nname = "shop"\n{model}'


def test_a_schema_of_the_client_is_met_after_a_repair(start: Start) -> None:
    live = start(shop("I would say Rome.", f"```json\n{CITY}\n```"))
    with sdk(live) as client:
        answer = client.chat.completions.parse(
            model="shop", messages=[{"role": "user", "content": "Where?"}], response_format=City
        )
    assert answer.choices[0].message.parsed == City(city="Rome", days=3)
    assert ledger(live) == [("answer", 1), ("repair", 1)]


def test_what_cannot_be_made_to_fit_is_an_error(start: Start) -> None:
    live = start(shop("no", repairs=1))
    with sdk(live) as client, pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.parse(
            model="scripted/m", messages=[{"role": "user", "content": "Where?"}], response_format=City
        )
    assert caught.value.status_code == 502 and caught.value.code == "invalid_output"


def test_a_stream_is_held_until_it_fits(start: Start) -> None:
    live = start(shop("no no no", CITY, chunk=4))
    with (
        sdk(live) as client,
        client.chat.completions.stream(
            model="shop", messages=[{"role": "user", "content": "Where?"}], response_format=City
        ) as stream,
    ):
        said = "".join(event.delta for event in stream if event.type == "content.delta")
    assert said == CITY


def test_a_schema_of_the_prompt_file_is_met_without_the_clients_doing(start: Start, tmp_path: Any) -> None:
    folder = write(tmp_path / "formed" / "shop", shop("Rome!", CITY), FORMED)
    live = Live(folder)
    assert live.ask("shop").json()["choices"][0]["message"]["content"] == CITY
    assert ledger(live) == [("answer", 1), ("repair", 1)]


def test_the_answer_of_most_samples_is_given_and_all_are_paid(start: Start) -> None:
    live = start(shop("Answer: 5", "4", "Answer: 4", samples=3))
    with sdk(live) as client:
        answer = client.chat.completions.create(model="shop", messages=[{"role": "user", "content": "2 + 2?"}])
    assert answer.choices[0].message.content == "4"
    assert answer.usage is not None and answer.usage.completion_tokens == 5
    assert ledger(live) == [("sample", 3)]


def test_a_function_of_the_application_chooses(start: Start, tmp_path: Any) -> None:
    configuration = shop("short", "the one with a bee", "longer than both", samples=3, choose="verifier",
                         verifier="ranking.py:score")  # fmt: skip
    folder = write(tmp_path / "ranked" / "shop", configuration)
    (folder / "ranking.py").write_text("def score(question, answer):\n    return answer.count('b')\n")
    live = Live(folder)
    assert live.ask("shop").json()["choices"][0]["message"]["content"] == "the one with a bee"
    live.stop()


def test_another_model_chooses(start: Start) -> None:
    judge = '[models.judge]\nmodel = "scripted/judge"\nanswers = ["10", "80"]\n'
    live = start(shop("first", "second", samples=2, choose="verifier", verifier="judge") + judge)
    assert live.ask("shop").json()["choices"][0]["message"]["content"] == "second"
    assert ledger(live) == [("sample", 4)]


def test_a_parameter_that_a_model_does_not_take_is_named(start: Start) -> None:
    live = start(
        shop("x")
        + '[capabilities."scripted/m"]\nsampling = false\nanswer = 10\n[models.claude]\nmodel = "anthropic/c"\n'
        + 'base_url = "http://127.0.0.1:9"\n'
    )
    hello: Any = [{"role": "user", "content": "hello"}]
    with sdk(live) as client:
        asked: list[tuple[str, dict[str, Any]]] = [
            ("shop", {"temperature": 0.5}),
            ("scripted/m", {"max_tokens": 11}),
            ("anthropic/c", {"temperature": 1.2}),
        ]
        for model, given in asked:
            with pytest.raises(openai.BadRequestError) as caught:
                client.chat.completions.create(model=model, messages=hello, **given)
            assert caught.value.param == next(iter(given)) and caught.value.code == "unsupported_value"
        assert client.chat.completions.create(model="shop", messages=hello, max_tokens=10, temperature=1)
