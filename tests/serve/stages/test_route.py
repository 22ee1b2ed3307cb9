"""The router in real applications: which model answers, and what the trace tells of it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import regista
from regista.core.errors import ConfigurationError, ProviderError
from regista.core.nouns import Json, Message, Request, Span
from regista.serve.router import Asked, Candidate, Choice
from regista.serve.stages.route import DEFAULT, Router

PROMPT = '{{role "system"}}\nBe brief.\n{{history}}\n{{role "user"}}\n{{question}}\n'
MODELS = """
[app]
model = "small"
[models.small]
model = "scripted/small"
answers = ["small"]
[models.large]
model = "scripted/large"
answers = ["large"]
[models.broken]
model = "scripted/broken"
fail = "error"
fallbacks = ["large"]
retries = 0
[prices."scripted/small"]
input = "1.00"
output = "1.00"
cached_input = "0.10"
[prices."scripted/large"]
input = "0.95"
output = "0.95"
cached_input = "0.095"
"""
Open = Callable[..., AbstractAsyncContextManager["regista.App"]]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Opens an application of three models with this router, and further files."""

    @asynccontextmanager
    async def begin(router: str, files: "dict[str, str] | None" = None) -> AsyncGenerator["regista.App"]:
        folder = tmp_path / "shop"
        written = {"regista.toml": MODELS + router, "prompts/answer.prompt": PROMPT, **(files or {})}
        for name, text in written.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        async with regista.open(folder) as app:
            yield app

    return begin


async def asked(app: "regista.App", *messages: Message, model: str = "shop", **rest: Any) -> tuple[str, Span]:
    """The answer, and the span of the route."""
    serving = app._platform.serve(Request(model, messages, rest=rest))  # pyright: ignore[reportPrivateUsage]
    answer = await serving.answer()
    assert serving.trace is not None
    return answer.answer, next(span for span in serving.trace.spans if span.stage == "route")


def user(text: str) -> Message:
    return Message("user", text)


RULES = """
[router]
policies = ["rules"]
names = ["smart"]
[router.rules.when.long]
min_tokens = 200
model = "large"
[router.rules.when.smart]
asked = "smart"
model = "large"
[router.rules.when.gold]
metadata = { tier = "gold" }
model = "large"
"""


async def test_a_rule_decides_and_the_trace_has_its_name_and_the_runner_up(opened: Open) -> None:
    async with opened(RULES) as app:
        text, span = await asked(app, user("word " * 300))
        assert text == "large" and span.decision == "large"
        assert span.reason.startswith("rules: long: ") and span.reason.endswith("; then small")
        assert span.attributes["policy"] == "rules" and span.attributes["runner_up"] == "small"


async def test_where_no_policy_decides_the_applications_own_model_answers(opened: Open) -> None:
    async with opened(RULES) as app:
        text, span = await asked(app, user("short"))
        assert text == "small" and span.reason == "default: no policy decided"
        assert span.attributes["steps"][0]["reason"] == "no rule holds"


async def test_a_further_name_of_the_application_is_one_a_rule_can_ask_for(opened: Open) -> None:
    async with opened(RULES) as app:
        assert (await asked(app, user("short"), model="smart"))[0] == "large"
        assert "smart" in dict(app._platform.models())  # pyright: ignore[reportPrivateUsage]


async def test_metadata_decides_and_the_trace_keeps_only_what_rules_ask_about(opened: Open) -> None:
    async with opened(RULES) as app:
        text, span = await asked(app, user("short"), metadata={"tier": "gold", "email": "a@example.com"})
        assert text == "large" and span.attributes["metadata"] == {"tier": "gold"}


async def test_a_fallback_that_answers_is_where_the_conversation_is_warm(opened: Open) -> None:
    router = """
[router]
policies = ["rules", "economy"]
[router.rules.when.first]
metadata = { turn = "1" }
model = "broken"
[router.economy]
models = ["small", "large"]
stay = 0.0
"""
    async with opened(router) as app:
        talk = [user("a long beginning " * 400)]
        text, span = await asked(app, *talk, metadata={"turn": "1"})
        assert span.decision == "broken" and text == "large"
        talk += [Message("assistant", text), user("and then?")]
        text, span = await asked(app, *talk)
        assert text == "large" and span.attributes["steps"][1]["detail"]["pinned"] == "large"


async def test_a_conversation_stays_with_its_model_through_a_real_pipeline(opened: Open) -> None:
    router = """
[router]
policies = ["rules", "economy"]
[router.rules.when.first]
metadata = { turn = "1" }
model = "small"
[router.economy]
models = ["small", "large"]
"""
    async with opened(router) as app:
        talk = [user("a long beginning " * 400)]
        assert (await asked(app, *talk))[0] == "large", "cold, the large one costs a little less"
        other = [user("another beginning " * 400)]
        text, _ = await asked(app, *other, metadata={"turn": "1"})
        for turn in range(3):
            other += [Message("assistant", text), user(f"and {turn}?")]
            text, span = await asked(app, *other)
            assert text == "small" and "stays" in span.reason


async def test_what_does_not_fit_a_models_window_goes_elsewhere(opened: Open) -> None:
    router = """
[models.narrow]
model = "scripted/narrow"
answers = ["narrow"]
[prices."scripted/narrow"]
input = "1.00"
output = "1.00"
context = 500
[router]
policies = ["rules"]
[router.rules.when.all]
model = "narrow"
"""
    async with opened(router) as app:
        assert (await asked(app, user("short")))[0] == "narrow"
        text, span = await asked(app, user("word " * 600))
        assert text == "small" and "do not fit into its window of 500" in span.attributes["unfit"]["narrow"]


TOOLS = '''
from regista import tool

@tool()
def score(player: str) -> str:
    """How many goals a player scored."""
    return "3"
'''


async def test_one_model_answers_all_turns_of_a_request_that_uses_tools(opened: Open) -> None:
    router = """
[models.caller]
model = "scripted/caller"
answers = ["three"]
calls = ['score {"player": "Can"}']
[router]
policies = ["rules"]
[router.rules.when.tools]
carries = "tools"
model = "caller"
"""
    async with opened(router, {"tools.py": TOOLS}) as app:
        serving = app._platform.serve(Request("shop", (user("How many?"),)))  # pyright: ignore[reportPrivateUsage]
        assert (await serving.answer()).answer == "three"
        assert serving.trace is not None
        stages = [(span.stage, span.name) for span in serving.trace.spans if span.stage in ("route", "generate")]
        assert stages == [("route", ""), ("generate", "scripted/caller"), ("generate", "scripted/caller")]


async def test_a_failed_request_is_no_news_of_a_models_pace(opened: Open) -> None:
    router = """
[models.alone]
model = "scripted/alone"
fail = "error"
retries = 0
[router]
policies = ["rules"]
[router.rules.when.all]
model = "alone"
"""
    async with opened(router) as app:
        with pytest.raises(ProviderError):
            await asked(app, user("hello"))
        routes = app._platform._loaded.routes  # pyright: ignore[reportPrivateUsage]
        assert routes is not None and routes.router.candidates["alone"].pace.calls == 0


CLASSES = """
[router]
policies = ["semantic"]
patience_ms = 5000
[router.semantic.classes.bills]
model = "large"
examples = ["my invoice is wrong", "send the invoice again", "the invoice has a mistake", "an invoice is missing"]
[router.semantic.classes.parcels]
model = "small"
examples = ["my parcel is late", "where is the parcel", "the parcel never came", "a parcel is lost"]
"""


async def test_classes_told_by_examples_choose_in_an_application_that_retrieves_nothing(opened: Open) -> None:
    async with opened(CLASSES) as app:
        text, span = await asked(app, user("please send my invoice"))
        assert text == "large" and span.reason.startswith("semantic: bills")


async def test_a_question_is_routed_as_the_guardrails_leave_it(opened: Open) -> None:
    async with opened(RULES + '[guardrails]\nrequest = ["pii"]\n') as app:
        serving = app._platform.serve(Request("shop", (user("I am anna@example.com"),)))  # pyright: ignore[reportPrivateUsage]
        await serving.answer()
        assert "anna@example.com" not in serving.exchange.question


async def test_a_policy_without_its_head_keeps_the_application_from_opening(opened: Open) -> None:
    with pytest.raises(ConfigurationError, match="regista route train"):
        async with opened('[router]\npolicies = ["learned"]\n[router.learned]\nstrong = "large"\nweak = "small"\n'):
            pass


# The policies in their order, one that fails and one that is slow among them.


class Says:
    """A policy that says what it is given."""

    def __init__(self, choice: "Choice | Exception | None") -> None:
        self.choice = choice

    async def choose(self, asked: Asked) -> Choice:
        """What it was given; None never comes back."""
        if isinstance(self.choice, Exception):
            raise self.choice
        if self.choice is None:
            await asyncio.Event().wait()
        assert isinstance(self.choice, Choice)
        return self.choice


def asked_of(names: tuple[str, ...]) -> Asked:
    candidates = {name: Candidate(name, f"x/{name}", (("x", name),)) for name in names}
    return Asked(Request("shop", ()), "t", "?", 1, candidates)


def router_of(*policies: Says, names: tuple[str, ...] = ("small", "large")) -> Router:
    named = [(f"p{n}", policy) for n, policy in enumerate(policies)]
    return Router(named, asked_of(names).candidates, "small", patience_s=0.02)


async def test_a_policy_that_fails_or_is_slow_is_passed_over_and_the_trace_says_so() -> None:
    router = router_of(Says(ProviderError("It is down.")), Says(None), Says(Choice("large", "why not")))
    decision = await router.decide(asked_of(("small", "large")))
    assert decision.model == "large" and decision.policy == "p2"
    assert [step.choice.reason for step in decision.steps] == [
        "it failed: It is down.",
        "it took longer than 20 ms",
        "why not",
    ]


@given(
    st.lists(
        st.builds(Choice, st.sampled_from(["", "small", "large", "unknown"]), runner_up=st.sampled_from(["", "small"])),
        max_size=4,
    ),
    st.sets(st.sampled_from(["small", "large"])),
)
async def test_the_choice_is_a_candidate_or_the_default_whatever_policies_say(
    choices: list[Choice], able: set[str]
) -> None:
    decision = await router_of(*map(Says, choices)).decide(asked_of(tuple(sorted(able))))
    assert decision.model in able or (decision.model == "small" and decision.policy == DEFAULT)
    first: Json = next(({"model": one.model} for one in choices if one.model in able), {"model": "small"})
    assert decision.model == first["model"]
