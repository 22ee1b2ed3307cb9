"""Shadow calls: asked after the answer, on nobody's account, bounded, and kept for comparison."""

import asyncio
from pathlib import Path

import pytest

import regista
from regista.app.shadows import UNDER_WAY
from regista.core.nouns import Message, Request, Trace
from regista.store import connect, traces
from regista.store.keys import Key

APPLICATION = """
[app]
model = "small"
[models.small]
model = "scripted/small"
answers = ["small"]
[models.large]
model = "scripted/large"
answers = ["large, at length"]
retries = 0
{large}
[prices."scripted/large"]
input = "1.00"
output = "1.00"
[router]
shadow = "large"
shadow_share = {share}
"""
PROMPT = '{{role "user"}}{{question}}'


def folder_of(path: Path, share: float = 1.0, large: str = "", rest: str = "") -> Path:
    folder = path / "shop"
    (folder / "prompts").mkdir(parents=True)
    (folder / "prompts" / "answer.prompt").write_text(PROMPT)
    (folder / "regista.toml").write_text(APPLICATION.format(share=share, large=large) + rest)
    return folder


async def ask(app: "regista.App", text: str = "hello", tenant: str = "default") -> Trace:
    serving = app._platform.serve(  # pyright: ignore[reportPrivateUsage]
        Request("shop", (Message("user", text),)), Key("web", tenant, "", 0)
    )
    await serving.answer()
    assert serving.trace is not None
    return serving.trace


def stored(folder: Path) -> list[Trace]:
    """All traces, the oldest first."""
    database = connect(f"sqlite://{folder / '.regista' / 'regista.db'}")
    found = [traces.find(database, row.id) for row in reversed(traces.recent(database, limit=1000))]
    database.close()
    return found


async def test_a_shadow_is_asked_the_same_and_its_answer_is_found_by_the_trace_it_was_made_for(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    async with regista.open(folder) as app:
        answered = await ask(app, "Who plays?")
    database = connect(f"sqlite://{folder / '.regista' / 'regista.db'}")
    shadow = traces.shadow_of(database, answered.id)
    assert shadow is not None and traces.shadow_of(database, shadow.id) is None
    database.close()
    assert (shadow.question, shadow.answer, shadow.model) == ("Who plays?", "large, at length", "shadow large")
    assert answered.answer == "small" and shadow.id != answered.id


async def test_its_calls_are_in_the_ledger_as_shadows_and_on_no_keys_account(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, large='fallbacks = ["small"]\nfail = "error"')
    async with regista.open(folder) as app:
        await ask(app, tenant="acme")
    answered, shadow = stored(folder)
    assert [call.cause for call in answered.calls] == ["answer"] and answered.key == "web"
    assert [(call.cause, call.model) for call in shadow.calls] == [("shadow", "large"), ("shadow", "small")]
    assert (shadow.key, shadow.tenant) == ("", "acme")


async def test_a_shadow_that_fails_is_a_trace_of_its_own_and_nobody_elses_error(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, large='fail = "error"')
    async with regista.open(folder) as app:
        await ask(app)
    assert [trace.status for trace in stored(folder)] == ["ok", "error"]


async def test_while_many_are_under_way_others_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, large="delay_s = 0.3")
    async with regista.open(folder) as app:
        for _ in range(UNDER_WAY + 3):
            await ask(app)
        assert app._platform.health()["shadows_left_out"] == 3  # pyright: ignore[reportPrivateUsage]
    assert len(stored(folder)) == 2 * UNDER_WAY + 3


async def test_an_answer_does_not_wait_for_its_shadow_and_the_end_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regista.app.shadows.LAST_SECONDS", 0.05)
    folder = folder_of(tmp_path, large='fail = "slow"')
    async with regista.open(folder) as app:
        await asyncio.wait_for(ask(app), 20)
        await asyncio.sleep(0)
    answered, shadow = stored(folder)
    assert (answered.status, shadow.status) == ("ok", "cancelled")
    assert [(call.cause, call.status) for call in shadow.calls] == [("shadow", "cancelled")]


async def test_about_the_share_that_is_wanted_is_asked(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, share=0.25)
    async with regista.open(folder) as app:
        for _ in range(200):
            await ask(app)
            await asyncio.sleep(0)
    shadows = sum(trace.model.startswith("shadow") for trace in stored(folder))
    # Four standard deviations of a binomial of 200 and a quarter.
    assert 26 <= shadows <= 74


@pytest.mark.parametrize("case", ["evaluation", "cache", "chosen"])
async def test_who_needs_no_shadow_has_none(tmp_path: Path, case: str) -> None:
    rest = {"cache": "[cache]\nexact = true\n", "chosen": ""}.get(case, "")
    folder = folder_of(tmp_path, rest=rest)
    if case == "chosen":
        text = (folder / "regista.toml").read_text().replace('model = "small"', 'model = "large"', 1)
        (folder / "regista.toml").write_text(text)
    async with regista.open(folder) as app:
        for _ in range(2):
            await ask(app, tenant="evaluation" if case == "evaluation" else "default")
    shadows = sum(trace.model.startswith("shadow") for trace in stored(folder))
    assert shadows == (1 if case == "cache" else 0)


async def test_what_guardrails_mask_does_not_reach_the_shadow_either(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, rest='[guardrails]\nrequest = ["pii"]\nresponse = ["pii"]\n')
    text = (
        (folder / "regista.toml")
        .read_text()
        .replace('"scripted/large"\nanswers = ["large, at length"]', '"echo/large"')
    )
    (folder / "regista.toml").write_text(text)
    async with regista.open(folder) as app:
        await ask(app, "Write to anna.schmidt@example.com now.")
    shadow = stored(folder)[-1]
    assert shadow.model == "shadow large" and "anna" not in shadow.answer + shadow.question
