"""Rules: which holds, which stands in another's way, and what is told of those that do not hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serve.router.conftest import Ask, candidate

from regista.core.errors import ConfigurationError
from regista.core.nouns import Json, Message, Request
from regista.serve.router import Asked
from regista.serve.router.rules import Rule, Rules, covers
from regista.serve.routing.signals import Carries, carries


async def model_of(rule: Rule, asked: Asked) -> str:
    return (await Rules({"it": rule}).choose(asked)).model


@pytest.mark.parametrize(
    ("rule", "fields", "holds"),
    [
        (Rule("large", min_tokens=100), {"tokens": 100}, True),
        (Rule("large", min_tokens=100), {"tokens": 99}, False),
        (Rule("large", max_tokens=100), {"tokens": 100}, True),
        (Rule("large", max_tokens=100), {"tokens": 101}, False),
        (Rule("large", asked="smart"), {"model": "smart"}, True),
        (Rule("large", asked=("smart", "gpt-*")), {"model": "gpt-4o"}, True),
        (Rule("large", asked="smart"), {"model": "shop"}, False),
        (Rule("large", tenant="acme*"), {"tenant": "acme-eu"}, True),
        (Rule("large", tenant="acme"), {"tenant": "acme-eu"}, False),
        (Rule("large", metadata={"tier": ("gold", "silver")}), {"metadata": {"tier": "gold"}}, True),
        (Rule("large", metadata={"tier": "gold"}), {"metadata": {"tier": "tin"}}, False),
        (Rule("large", metadata={"tier": "*"}), {"metadata": {}}, False),
        (Rule("large", carries="images"), {"carries": frozenset({"images", "tools"})}, True),
        (Rule("large", carries=("images", "tools")), {"carries": frozenset({"images"})}, False),
        (Rule("large", lacks="tools"), {"carries": frozenset[str]()}, True),
        (Rule("large", lacks="tools"), {"carries": frozenset({"tools"})}, False),
        (Rule("large", script="cyrillic"), {"question": "Где моя посылка?"}, True),
        (Rule("large", script="cyrillic"), {"question": "Where is it?"}, False),
        (Rule("large", language="de"), {"question": "Wo ist denn mein Paket geblieben?"}, True),
        (Rule("large", language=("de", "fr")), {"question": "Where has my parcel gone then?"}, False),
        (Rule("large", language="de"), {"question": "4-3-3"}, False),
    ],
)
async def test_a_rule_holds_where_its_condition_does(
    ask: Ask, rule: Rule, fields: dict[str, object], holds: bool
) -> None:
    assert await model_of(rule, ask(**fields)) == ("large" if holds else "")


async def test_every_condition_must_hold_and_the_first_that_does_not_is_told(ask: Ask) -> None:
    rules = Rules({"both": Rule("large", tenant="acme", min_tokens=1_000)})
    choice = await rules.choose(ask(tokens=10))
    assert choice.model == "" and choice.detail["rules"] == [("both", False, "10 tokens, at least 1,000")]


async def test_the_first_rule_that_holds_decides_and_the_next_with_another_model_is_the_runner_up(ask: Ask) -> None:
    rules = Rules(
        {
            "images": Rule("german", carries="images"),
            "long": Rule("large", min_tokens=10),
            "same": Rule("large", tenant="acme"),
            "any": Rule("small"),
        }
    )
    choice = await rules.choose(ask(tokens=10))
    assert (choice.model, choice.runner_up) == ("large", "small")
    assert choice.reason == "long: 10 tokens, at least 10"


async def test_a_rule_whose_model_cannot_take_the_request_does_not_decide(ask: Ask) -> None:
    rules = Rules({"a": Rule("large", tenant="acme"), "b": Rule("small")})
    choice = await rules.choose(ask(names=("small",)))
    assert choice.model == "small" and "large cannot take it" in str(choice.detail)


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ({}, "no rules"),
        ({"a": Rule("x", tenant="t"), "b": Rule("y", tenant="t")}, "'b' never decides: 'a' stands before"),
        ({"a": Rule("x"), "b": Rule("y", tenant="t")}, "'b' never decides"),
        ({"a": Rule("x", min_tokens=10), "b": Rule("y", min_tokens=20)}, "'b' never decides"),
        ({"a": Rule("x", min_tokens=10, max_tokens=9)}, "'a' can never hold"),
        ({"a": Rule("x", carries="tools", lacks="tools")}, "'a' can never hold"),
    ],
)
def test_rules_that_can_never_decide_are_refused(when: dict[str, Rule], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Rules(when)


def test_rules_that_overlap_are_no_mistake() -> None:
    Rules({"a": Rule("x", min_tokens=20), "b": Rule("y", min_tokens=10), "c": Rule("z", tenant="t")})


RULES = st.builds(
    Rule,
    model=st.sampled_from(["small", "large"]),
    tenant=st.sampled_from([(), "acme", "acme*", ("acme", "other"), "other"]),
    asked=st.sampled_from([(), "shop", "smart", "s*"]),
    metadata=st.sampled_from([{}, {"tier": "gold"}, {"tier": ("gold", "tin")}, {"tier": "gold", "eu": "yes"}]),
    min_tokens=st.integers(0, 3),
    max_tokens=st.none() | st.integers(0, 3),
    carries=st.sampled_from([(), "images", ("images", "tools")]),
    lacks=st.sampled_from([(), "images", "tools"]),
)


@st.composite
def asked_of_anyone(draw: st.DrawFn) -> Asked:
    metadata: dict[str, str] = draw(
        st.dictionaries(st.sampled_from(["tier", "eu"]), st.sampled_from(["gold", "tin", "yes"]))
    )
    carried: frozenset[Carries] = draw(st.frozensets(st.sampled_from(["images", "tools"])))
    request = Request(draw(st.sampled_from(["shop", "smart"])), ())
    models = {name: candidate(name) for name in ("small", "large")}
    tenant, tokens = draw(st.sampled_from(["acme", "acme-eu", "other"])), draw(st.integers(0, 3))
    return Asked(request, tenant, "", tokens, models, carried, metadata)


@given(RULES, RULES, st.lists(asked_of_anyone(), max_size=20))
async def test_a_rule_that_covers_another_holds_wherever_that_does(
    earlier: Rule, later: Rule, all_asked: list[Asked]
) -> None:
    try:
        one, other = Rules({"a": earlier}), Rules({"b": later})
    except ConfigurationError:
        return
    if covers(earlier, later):
        for asked in all_asked:
            if (await other.choose(asked)).model:
                assert (await one.choose(asked)).model


def test_what_a_request_carries_is_read_off_its_parts_and_fields() -> None:
    parts = [
        {"type": "text", "text": "?"},
        {"type": "image_url", "image_url": {"url": "data:"}},
        {"type": "input_audio"},
    ]
    rest: Json = {"tools": [{}], "response_format": {"type": "json_schema"}, "logprobs": True}
    request = Request("shop", (Message("user", parts),), rest=rest)
    assert carries(request) == {"images", "audio", "tools", "json", "logprobs"}
    assert carries(Request("shop", (Message("user", "plain"),))) == frozenset()
