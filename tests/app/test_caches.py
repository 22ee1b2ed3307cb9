"""An application's caches as its requests meet them, and kept in step by one store for several at once."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import regista
from regista.app.caches import Caches
from regista.app.schema import Cache
from regista.core.errors import MissingExtraError, ProviderError
from regista.core.nouns import Message, Request, Response, Trace
from regista.models.worker import EmbeddingWorker
from regista.store import Database, caches, connect
from regista.store.caches import Calibration, Label

HASHED = "hashed-384-v1"
HELD = Calibration(HASHED, 0.7, 0.01, 0.05, 300, 0, "sample", 1)
ASKED, AGAIN = "What is the capital of Australia?", "Which is the capital of Australia?"
PROMPT = '{{role "system"}}\nAnswer.\n{{history}}\n{{role "user"}}\n{{question}}\n'
TURNS = 'model = "scripted/any"\nanswers = ["first", "second", "third", "fourth"]'
BOTH = "[cache]\nexact = true\nsemantic = true\nshadow = 0.0\n"
Open = Callable[..., AbstractAsyncContextManager["regista.App"]]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Opens an application whose questions are measured by hashes, calibrated unless it is to learn."""

    @asynccontextmanager
    async def begin(
        rest: str = BOTH, model: str = TURNS, *, held: Calibration | None = HELD, tools: str = ""
    ) -> AsyncGenerator["regista.App"]:
        folder = tmp_path / "shop"
        (folder / "prompts").mkdir(parents=True, exist_ok=True)
        (folder / "prompts" / "answer.prompt").write_text(PROMPT)
        (folder / "regista.toml").write_text(f"[models.default]\n{model}\n{rest}")
        if tools:
            (folder / "tools.py").write_text(tools)
        database = connect(f"sqlite://{folder / '.regista' / 'regista.db'}")
        if held is not None:
            caches.calibrate(database, "shop", held)
        database.close()
        async with regista.open(folder, models=str(tmp_path)) as app:
            yield app

    return begin


async def asked(app: "regista.App", *texts: str, fresh: bool = False, **rest: Any) -> tuple[str, Trace]:
    """The answer to the last of the texts, said after the others in turn, and its trace."""
    messages = tuple(Message("assistant" if n % 2 else "user", text) for n, text in enumerate(texts))
    platform = app._platform  # pyright: ignore[reportPrivateUsage]
    answer = await platform.serve(Request("shop", messages, rest=rest), fresh=fresh).answer()
    return answer.answer, await app.trace(answer.trace_id)


async def stepped(app: "regista.App") -> None:
    """The store told and asked, whatever its turn."""
    held = app._platform._loaded.caches  # pyright: ignore[reportPrivateUsage]
    if held.semantic is not None:
        await held.semantic.settled()
    await held.step()


async def test_a_semantic_hit_says_so_and_costs_nothing(opened: Open) -> None:
    async with opened() as app:
        first, kept = await asked(app, ASKED)
        assert first == "first"
        answer, trace = await asked(app, AGAIN)
        assert (answer, trace.cached, trace.cost_nano, trace.calls) == ("first", "semantic", 0, ())
        (span,) = (span for span in trace.spans if (span.stage, span.name) == ("cache", "semantic"))
        assert span.decision == "hit" and span.attributes["kept_for"] == kept.id
        assert span.attributes["threshold"] == 0.7 <= span.attributes["likeness"]


async def test_the_same_words_are_the_exact_caches_matter(opened: Open) -> None:
    async with opened() as app:
        await asked(app, ASKED)
        assert (await asked(app, ASKED))[1].cached == "hit"


async def test_a_semantic_hit_is_not_kept_for_its_own_words(opened: Open) -> None:
    """Else it would outlive the answer it came from, and the calibration that let it through."""
    async with opened() as app:
        await asked(app, ASKED)
        assert [(await asked(app, AGAIN))[1].cached for _ in range(2)] == ["semantic", "semantic"]


async def test_without_the_exact_cache_the_same_words_are_a_semantic_hit(opened: Open) -> None:
    async with opened("[cache]\nsemantic = true\nshadow = 0.0\n") as app:
        found = [(await asked(app, ASKED))[1].cached for _ in range(2)]
        assert found == ["miss", "semantic"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("What are the top 5 sights in Vienna?", "What are the top 10 sights in Vienna?"),
        ("How do I block my debit card?", "How do I unblock my debit card?"),
        ("What is the weather in Oslo?", "What's the weather in Oslo?"),
        ("What is my balance?", "What's my balance?"),
        ("Tell me a joke about cats.", "Tell me a joke about a cat."),
    ],
)
async def test_what_asks_something_else_or_for_oneself_is_answered_afresh(
    opened: Open, first: str, second: str
) -> None:
    async with opened() as app:
        assert [(await asked(app, text))[0] for text in (first, second)] == ["first", "second"]


async def test_what_a_guardrail_masked_is_for_its_asker_alone(opened: Open) -> None:
    async with opened(BOTH + '[guardrails]\nrequest = ["pii"]\n') as app:
        texts = [f"Is {name}@example.com how one writes to the shop?" for name in ("ann", "bob")]
        traces = [(await asked(app, text))[1] for text in (texts[0], texts[1].replace("Is", "Is it"))]
        spans = [span for trace in traces for span in trace.spans if span.name == "semantic"]
        assert [span.decision for span in spans] == ["bypass", "bypass"] and "personal" in spans[0].reason


async def test_a_conversation_in_which_something_was_masked_is_for_its_asker_alone(opened: Open) -> None:
    async with opened(BOTH + '[guardrails]\nrequest = ["pii"]\n') as app:
        for text in (ASKED, AGAIN):
            _, trace = await asked(app, "Write to ann@example.com", "I will", text)
            assert next(span for span in trace.spans if span.name == "semantic").decision == "bypass"


async def test_a_conversation_is_served_only_where_all_before_was_the_same(opened: Open) -> None:
    async with opened() as app:
        assert (await asked(app, "Hello there", "Hi", ASKED))[0] == "first"
        assert (await asked(app, "Hello there", "Hi", AGAIN))[1].cached == "semantic"
        assert (await asked(app, "Good day", "Hi", AGAIN))[1].cached == "miss"
        assert (await asked(app, AGAIN))[1].cached == "miss"


async def test_what_else_is_asked_for_must_be_the_same(opened: Open) -> None:
    async with opened() as app:
        await asked(app, ASKED)
        assert (await asked(app, AGAIN, temperature=0.7))[1].cached == "miss"
        assert (await asked(app, AGAIN, user="u-1"))[1].cached == "semantic"


async def test_who_asks_for_a_fresh_answer_gets_one(opened: Open) -> None:
    async with opened() as app:
        await asked(app, ASKED)
        answer, trace = await asked(app, AGAIN, fresh=True)
        assert (answer, trace.cached) == ("second", "bypass")


async def test_chance_is_asked_for_each_time_and_the_time_soon_again(opened: Open) -> None:
    async with opened(BOTH + "brief_ttl_s = 1\n") as app:
        assert [(await asked(app, "Flip a coin."))[0] for _ in range(2)] == ["first", "second"]
        assert [(await asked(app, "What is on television tonight?"))[1].cached for _ in range(2)] == ["miss", "hit"]
        await asyncio.sleep(1)
        assert (await asked(app, "What is on television tonight?"))[1].cached == "miss"


TOOL = '''
from regista import tool

@tool(asks=(r"capital of (?P<country>.+)",))
def capital(country: str) -> str:
    """The capital of a country."""
    return "Canberra"
'''


async def test_what_tools_were_asked_for_is_not_kept(opened: Open) -> None:
    calls = 'model = "scripted/any"\nanswers = ["first", "second"]\ncalls = [\'capital {"country": "Australia"}\']'
    async with opened(model=calls, tools=TOOL) as app:
        assert [(await asked(app, text))[1].cached for text in (ASKED, AGAIN, ASKED)] == ["miss"] * 3


async def test_an_answer_that_breaks_off_is_not_kept(opened: Open) -> None:
    async with opened(model=TURNS + '\nfail = "cut"\nchunk = 1') as app:
        for text in (ASKED, AGAIN):
            with pytest.raises(ProviderError):
                await asked(app, text)
        assert (await app.traces(limit=1))[0].cached == "miss"


async def test_who_leaves_a_stream_early_leaves_nothing_behind(opened: Open) -> None:
    async with opened(model=TURNS + "\nchunk = 1") as app:
        stream = app.stream(ASKED)
        await anext(stream)
        await stream.aclose()
        assert (await asked(app, AGAIN))[0] == "second"


async def test_until_it_is_calibrated_it_learns_from_all_that_lies_near(opened: Open) -> None:
    async with opened(held=None) as app:
        for text in (ASKED, AGAIN):
            assert (await asked(app, text))[1].cached == "miss"
        await stepped(app)
        (label,) = caches.labels(app._platform.database, "shop", HASHED)  # pyright: ignore[reportPrivateUsage]
        assert (label.asked, label.kept, label.same) == (AGAIN, ASKED, False)


async def test_a_sampled_hit_is_answered_afresh_and_learned_from(opened: Open) -> None:
    async with opened(BOTH.replace("0.0", "1.0")) as app:
        await asked(app, ASKED)
        answer, trace = await asked(app, AGAIN)
        assert (answer, trace.cached) == ("second", "miss")
        span = next(span for span in trace.spans if span.name == "semantic")
        assert (span.decision, span.reason) == ("sample", "sampled")
        await stepped(app)
        figures = {figure.name: figure.samples for figure in app._platform.figures()}  # pyright: ignore[reportPrivateUsage]
        assert figures["regista_semantic_cache_sampled"][0][2] == 1
        assert figures["regista_semantic_cache_false_hits"][0][1:] == ((("value", "share"),), 1.0)


async def test_it_switches_itself_off_where_the_sample_breaks_the_bound_and_says_so(opened: Open) -> None:
    async with opened() as app:
        platform = app._platform  # pyright: ignore[reportPrivateUsage]
        await asked(app, ASKED)
        assert (await asked(app, AGAIN))[1].cached == "semantic"
        now = time.time_ns()
        wrong = [Label(bytes([n]) * 16, HASHED, now + n, 0.9, n % 2 > 0, "a", "b") for n in range(40)]
        caches.learn(platform.database, "shop", wrong)
        for _ in range(2):
            await stepped(app)
        assert (await asked(app, AGAIN))[1].cached == "miss"
        (problem,) = platform.health()["problems"]
        assert "switched itself off" in problem and "20 of 40" in problem
        assert platform.health()["status"] == "degraded"
        caches.calibrate(platform.database, "shop", replace(HELD, threshold=0.8, made_ns=now + 100))
        await stepped(app)
        assert (await asked(app, AGAIN))[1].cached in ("hit", "semantic")


async def test_clearing_is_followed_by_a_running_application(opened: Open) -> None:
    async with opened() as app:
        await asked(app, ASKED)
        caches.clear(app._platform.database, "shop")  # pyright: ignore[reportPrivateUsage]
        await stepped(app)
        assert [(await asked(app, text))[0] for text in (ASKED, AGAIN)] == ["second", "second"]


async def test_what_was_kept_is_there_after_a_restart(opened: Open) -> None:
    async with opened() as app:
        await asked(app, ASKED)
    async with opened() as app:
        answer, trace = await asked(app, AGAIN)
        assert (answer, trace.cached) == ("first", "semantic")


async def test_a_change_of_the_application_shares_nothing_with_what_it_was(opened: Open, tmp_path: Path) -> None:
    async with opened() as app:
        await asked(app, ASKED)
        (tmp_path / "shop" / "prompts" / "answer.prompt").write_text(PROMPT.replace("Answer.", "Answer briefly."))
        await app._platform.reload()  # pyright: ignore[reportPrivateUsage]
        assert (await asked(app, AGAIN))[1].cached == "miss"


# the store between two processes


@pytest.fixture
def databases(tmp_path: Path) -> Callable[[], Database]:
    return lambda: connect(f"sqlite://{tmp_path / 'shared.db'}")


@asynccontextmanager
async def gateway(database: Database, **options: Any) -> AsyncGenerator[Caches]:
    embedder = EmbeddingWorker("hashed")
    held = await Caches.open("shop", Cache(exact=True, semantic=True, **options), database, None, embedder)
    yield held
    await held.close()
    await embedder.close()


async def test_two_gateways_share_answers_epoch_and_threshold(databases: Callable[[], Database]) -> None:
    async with gateway(databases()) as one, gateway(databases()) as other:
        assert one.semantic is not None and other.semantic is not None and one.exact is not None
        look = await one.semantic.look(b"p" * 16, ASKED, 0.5)
        one.semantic.keep(look, Response("Canberra.", finish="stop"))
        caches.calibrate(databases(), "shop", HELD)
        await one.step()
        await other.step()
        found = await other.semantic.look(b"p" * 16, AGAIN, 0.5)
        assert found.decision == "hit" and found.kept is not None and found.kept.response.text == "Canberra."
        caches.clear(databases(), "shop")
        await one.step()
        await other.step()
        assert (one.exact.epoch, one.semantic.epoch, other.semantic.epoch, len(other.semantic)) == (1, 1, 1, 0)


async def test_a_store_that_is_away_is_told_later_and_named_meanwhile(tmp_path: Path) -> None:
    database = connect(f"sqlite://{tmp_path / 'shared.db'}")
    async with gateway(database) as held:
        assert held.semantic is not None
        look = await held.semantic.look(b"p" * 16, ASKED, 0.5)
        held.semantic.keep(look, Response("Canberra.", finish="stop"))
        elsewhere = connect(f"sqlite://{tmp_path / 'shared.db'}")
        with elsewhere.transaction() as transaction:
            transaction.execute("ALTER TABLE cache_answers RENAME TO gone")
        await held.step()
        assert held.problems and "cache_answers" in held.problems[0]
        assert (await held.semantic.look(b"p" * 16, AGAIN, 0.5)).decision == "sample"
        with elsewhere.transaction() as transaction:
            transaction.execute("ALTER TABLE gone RENAME TO cache_answers")
        await held.step()
        assert held.problems == [] and caches.count(elsewhere, "shop", time.time_ns()) == 1


async def test_what_was_about_to_be_stored_at_the_end_is_stored(databases: Callable[[], Database]) -> None:
    free = threading.Event()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    async with gateway(databases()) as held:
        assert held.semantic is not None
        look = await held.semantic.look(b"p" * 16, ASKED, 0.5)
        busy = asyncio.create_task(asyncio.to_thread(free.wait))
        held.semantic.keep(look, Response("Canberra.", finish="stop"))
        while held.semantic._answers:  # pyright: ignore[reportPrivateUsage]  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.01)
        asyncio.get_running_loop().call_later(0.05, free.set)
    await busy
    assert caches.count(databases(), "shop", time.time_ns()) == 1


async def test_without_an_embedder_there_is_no_semantic_cache(databases: Callable[[], Database]) -> None:
    with pytest.raises(MissingExtraError, match="semantic cache"):
        await Caches.open("shop", Cache(semantic=True), databases(), None, None)
