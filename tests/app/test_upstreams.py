"""The models of a configuration: what may be written, what is refused, and what is made of it."""

import asyncio
import re
from pathlib import Path

import pytest

from regista.app.application import prices_of
from regista.app.configuration import parse
from regista.app.schema import Model
from regista.app.upstreams import Upstreams
from regista.core.errors import OverloadedError, RegistaError, UnknownNameError
from regista.core.nouns import Account, Call, Delta, Message, Request
from regista.models.providers import Provider

WELL = 'model = "scripted/{name}"\nanswers = ["{name}"]\n'
FAILS = 'model = "scripted/{name}"\nfail = "error"\nretries = 0\n'
CUT = 'model = "scripted/{name}"\nanswers = ["one two three four"]\nchunk = 4\nfail = "cut"\nretries = 0\n'


def upstreams(text: str) -> Upstreams:
    settings, _, mistakes = parse(text)
    assert not mistakes, mistakes
    return Upstreams(settings, prices_of(settings), {"transport": None, "embed": None})


def table(name: str, form: str = WELL, more: str = "") -> str:
    return f"[models.{name}]\n{form.format(name=name)}{more}\n"


async def ask(provider: Provider, told: list[Call] | None = None, tenant: str = "") -> list[Delta]:
    account = Account(tenant, tell=told.append if told is not None else None)
    request = Request("m", (Message("user", "hello"),), stream=True, account=account)
    return [delta async for delta in provider.generate(request)]


def text(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


@pytest.mark.parametrize(
    ("configuration", "line", "message"),
    [
        (
            table("a", more='fallbacks = ["bb"]') + table("b"),
            4,
            "There is no model 'bb'. Did you mean 'b'? Known: a, b.",
        ),
        (table("a", more='fallbacks = ["a"]'), 4, "would never end: a → a."),
        (
            table("a", more='fallbacks = ["b"]')
            + table("b", more='fallbacks = ["c"]')
            + '[models.c]\nbalance = ["d", "a"]\n'
            + table("d"),
            4,
            "These models lead back to themselves and would never end: a → b → c → a.",
        ),
        ('[models.p]\nbalance = ["q", "p"]\n' + table("q"), 2, "would never end: p → p."),
        ('[models.p]\nbalance = ["q"]\n' + table("q"), 2, "models.p balances fewer than two models"),
        ('[models.p]\nbalance = ["q", "q"]\n' + table("q"), 2, "models.p balances fewer than two models"),
        ("[models.p]\nbalance = []\n", 2, "models.p balances fewer than two models"),
        (table("p", more='balance = ["q", "r"]') + table("q") + table("r"), 4, "has `model` and `balance`"),
        ('[models.p]\nbalance = ["q", "r"]\nchunk = 3\n' + table("q") + table("r"), 3, "There is no key 'chunk'"),
        ("[models.p]\nretries = 1\n", 1, "models.p needs the key 'model'."),
        (table("a", more="retries = 99"), 4, "retries"),
        (table("a", more="hedge_s = 0"), 4, "hedge_s"),
        (table("a", more="breaker = 1.5"), 4, "breaker"),
        (table("a", more="concurrency = 0"), 4, "concurrency"),
        (table("a", more="retrys = 1"), 4, "Did you mean"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(configuration: str, line: int, message: str) -> None:
    _, _, mistakes = parse(configuration)
    assert [(mistake.line, message in mistake.message) for mistake in mistakes] == [(line, True)], mistakes


def test_one_loop_is_one_mistake_and_a_model_with_a_mistake_is_still_known() -> None:
    _, _, mistakes = parse(
        table("a", more='fallbacks = ["b", "broken"]')
        + table("b", more='fallbacks = ["a"]')
        + table("broken", "model = 1")
    )
    assert len(mistakes) == 2
    assert sum("never end: a → b → a" in mistake.message for mistake in mistakes) == 1


async def test_a_bare_model_is_tried_again_and_counted() -> None:
    told: list[Call] = []
    models = upstreams(table("a", 'model = "scripted/a"\nfail = "error"\n', more="retries = 1"))
    with pytest.raises(RegistaError, match="scripted fails"):
        await ask(models.provider("a"), told)
    assert [call.cause for call in told] == ["answer", "retry"]


async def test_a_fallback_answers_by_the_name_it_has_there() -> None:
    told: list[Call] = []
    models = upstreams(table("a", FAILS, 'fallbacks = ["b", "c"]') + table("b", FAILS) + table("c"))
    assert text(await ask(models.provider("a"), told)) == "c"
    assert [(call.model, call.cause, call.status) for call in told] == [
        ("a", "answer", "error"),
        ("b", "fallback", "error"),
        ("c", "fallback", "ok"),
    ]


async def test_the_parameters_of_a_fallback_are_its_own() -> None:
    echo = 'model = "echo/{name}"\nreceived = true\nparameters = {{ top_k = 3 }}\n'
    models = upstreams(table("a", FAILS, 'parameters = { temperature = 0.1 }\nfallbacks = ["b"]') + table("b", echo))
    received = text(await ask(models.provider("a")))
    assert '"top_k":3' in received and "temperature" not in received


@pytest.mark.parametrize(
    ("more", "continued"),
    [("", True), ("continuation = false", False)],
)
async def test_a_stream_that_broke_is_gone_on_with_where_there_is_a_fallback(more: str, continued: bool) -> None:
    told: list[Call] = []
    whole = 'model = "scripted/b"\nanswers = ["one two three four"]\nchunk = 4\n'
    models = upstreams(table("a", CUT, f'fallbacks = ["b"]\n{more}') + table("b", whole))
    if not continued:
        with pytest.raises(RegistaError, match="breaks off"):
            await ask(models.provider("a"))
        return
    assert text(await ask(models.provider("a"), told)) == "one two three four"
    assert [call.cause for call in told] == ["answer", "continuation"]


async def test_a_model_alone_goes_on_with_itself_where_it_may() -> None:
    told: list[Call] = []
    models = upstreams(table("a", CUT, "continuation = true"))
    with pytest.raises(RegistaError, match="not whole"):
        await ask(models.provider("a"), told)
    assert [call.cause for call in told] == ["answer", "continuation"]


async def test_a_second_call_answers_for_a_silent_first() -> None:
    told: list[Call] = []
    silent = 'model = "scripted/a"\nfail = "slow"\nhedge_s = 0.01\nfallbacks = ["b"]\n'
    assert text(await ask(upstreams(table("a", silent) + table("b")).provider("a"), told)) == "b"
    assert sorted((call.cause, call.status) for call in told) == [("answer", "cancelled"), ("hedge", "ok")]


async def test_an_answer_has_so_long_and_no_longer() -> None:
    models = upstreams(table("a", 'model = "scripted/a"\nfail = "slow"\ntotal_s = 0.05\n'))
    with pytest.raises(RegistaError) as failure:
        await ask(models.provider("a"))
    assert (failure.value.status, failure.value.code) == (504, "deadline_exceeded")


async def test_a_pool_is_a_model_and_its_members_take_turns() -> None:
    pool = '[models.p]\nbalance = ["a", "b"]\nparameters = { temperature = 0.5 }\n'
    settings = parse(pool + table("a") + table("b"))[0]
    assert (settings.models["p"].model, settings.models["p"].provider) == ("pool/p", "pool")
    models = upstreams(pool + table("a") + table("b"))
    told: list[Call] = []
    for _ in range(60):
        await ask(models.raw("pool/p"), told)
    assert {call.model for call in told} == {"a", "b"}


async def test_a_pool_answers_while_one_of_it_does() -> None:
    models = upstreams('[models.p]\nbalance = ["a", "b"]\n' + table("a", FAILS) + table("b"))
    told: list[Call] = []
    for _ in range(40):
        assert text(await ask(models.provider("p"), told)) == "b"
    state = {upstream.name: upstream for upstream in models.state()}
    assert all(upstream.running == upstream.waiting == 0 for upstream in state.values())
    assert sum(call.status == "error" for call in told) < 20


async def test_what_is_over_the_limit_waits_or_is_sent_away_and_is_counted() -> None:
    slow = 'model = "scripted/a"\ndelay_s = 0.05\nconcurrency = 2\nqueue = 3\n'
    models = upstreams(table("a", slow))
    answers = await asyncio.gather(*(ask(models.provider("a")) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(answer, OverloadedError) for answer in answers) == 3
    assert sum(isinstance(answer, list) for answer in answers) == 5
    (state,) = models.state()
    assert (state.name, state.running, state.waiting, state.shed, state.state) == ("a", 0, 0, 3, "")


async def test_who_fails_is_left_alone_where_somebody_else_is_there() -> None:
    models = upstreams(table("a", FAILS, 'fallbacks = ["b"]') + table("b"))
    told: list[Call] = []
    for _ in range(30):
        assert text(await ask(models.provider("a"), told)) == "b"
    assert [call.model for call in told].count("a") == 10
    state = {upstream.name: upstream for upstream in models.state()}
    assert (state["a"].state, state["a"].opened, state["b"].state) == ("open", 1, "closed")
    assert state["a"].seconds > 0 and "10 of 10" in state["a"].reason


async def test_a_model_alone_is_not_left_alone_unless_it_is_asked_for() -> None:
    for more, calls in (("", 20), ("breaker = 0.5", 10)):
        models, told = upstreams(table("a", FAILS, more)), list[Call]()
        for _ in range(20):
            with pytest.raises(RegistaError):
                await ask(models.provider("a"), told)
        assert len(told) == calls


async def test_one_upstream_under_two_names_is_one() -> None:
    fails = 'model = "scripted/x"\nfail = "error"\nretries = 0\n'
    models = upstreams(table("a", fails, 'fallbacks = ["c"]') + table("b", fails, 'fallbacks = ["c"]') + table("c"))
    for _ in range(10):
        await ask(models.provider("a"))
    told: list[Call] = []
    await ask(models.provider("b"), told)
    assert [call.model for call in told] == ["c"]


async def test_raw_models_are_those_of_the_configuration_where_it_has_them() -> None:
    models = upstreams(table("a"))
    assert models.raw("scripted/a") is models.provider("a")
    assert text(await ask(models.raw("echo/any"))) == "hello"
    with pytest.raises(UnknownNameError, match="There is no provider 'nowhere'"):
        models.raw("nowhere/x")
    with pytest.raises(UnknownNameError, match="There is no model 'b'"):
        models.provider("b")


def test_models_are_kept_while_nothing_of_theirs_changes() -> None:
    settings = parse(table("a"))[0]
    ports = {"transport": None, "embed": None}
    models = upstreams(table("a"))
    assert models.fits(settings, ports)
    assert models.fits(parse(table("a") + "[cache]\nexact = true\n")[0], ports)
    assert not models.fits(parse(table("a", more="retries = 1"))[0], ports)
    assert not models.fits(parse(table("a") + '[prices."scripted/a"]\ninput = "1"\noutput = "2"\n')[0], ports)
    assert not models.fits(settings, {**ports, "embed": print})


KEYS = {
    "balance", "breaker", "concurrency", "continuation", "fallbacks", "hedge_s", "parameters", "queue", "queue_s",
    "retries", "total_s",
}  # fmt: skip


def test_the_page_on_failing_models_says_what_the_keys_are() -> None:
    page = (Path(__file__).parents[2] / "docs" / "resilience.md").read_text("utf-8")
    settings, _, mistakes = parse(page.partition("```toml\n")[2].partition("```")[0])
    assert not mistakes and len(settings.models) == 4
    told = set(re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in page.splitlines() if row.startswith("| `"))))
    assert told == KEYS <= set(Model.__struct_fields__)
    default = Model("scripted/x")
    for key, value in (("retries", default.retries), ("queue`, `queue_s", default.queue)):
        assert f"| `{key}` | `{value}`" in page
