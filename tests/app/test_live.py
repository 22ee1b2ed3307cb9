import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from regista.app.evaluation import Bench
from regista.app.facade import open_app
from regista.core.errors import ConfigurationError
from regista.core.settings import settings
from regista.store import connect
from regista.store.ledger import sums

SUITE = 'cases = "live.jsonl"\n[scorers.latency]\n[scorers.shout]\nscorer = "regex"\npattern = "[A-Z]{3}"\n'


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    """An application that echoes, and scores all it serves."""
    (tmp_path / "evals").mkdir()
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "answer.prompt").write_text("{{question}}\n")
    (tmp_path / "regista.toml").write_text(
        '[app]\nname = "demo"\n[models.default]\nmodel = "echo/echo"\n[evaluation]\nsuite = "live"\nshare = 1.0\n'
    )
    (tmp_path / "evals" / "live.jsonl").write_text('{"id": "1", "input": "?"}\n')
    (tmp_path / "evals" / "live.toml").write_text(SUITE)
    return tmp_path


async def ask(folder: Path, *questions: str) -> None:
    async with open_app(folder) as app:
        for question in questions:
            await app.ask(question)


async def test_what_is_served_is_scored_by_the_suites_own_scorers(watched: Path) -> None:
    await ask(watched, "say GOAL", "say nothing", "say ABC")
    database = connect(f"sqlite://{watched / '.regista' / 'regista.db'}")
    report = await asyncio.to_thread(Bench(watched, settings(), database).live, "live")
    assert report.target == "live traces"
    assert report.cases == 3
    assert report.estimate("shout").mean == pytest.approx(2 / 3)
    assert report.estimate("latency").ok == 3
    database.close()


async def test_what_judges_cost_is_in_the_ledger(watched: Path) -> None:
    toml = watched / "regista.toml"
    models = '[models.judge]\nmodel = "scripted/judge"\nanswers = ["{\\"class\\": \\"yes\\"}"]\n'
    prices = '[prices."scripted/judge"]\ninput = "1.00"\noutput = "1.00"\n'
    toml.write_text(f"{toml.read_text()}{models}{prices}")
    judge = '[judges.kind]\njudge = "classify"\nmodel = "judge"\nreferences = []\n'
    classes = "".join(
        f'[[judges.kind.classes]]\nname = "{name}"\nvalue = {value}\nmeans = "It is."\n'
        for name, value in (("yes", 1.0), ("no", 0.0))
    )
    (watched / "evals" / "live.toml").write_text(SUITE + judge + classes)
    await ask(watched, "is it")
    database = connect(f"sqlite://{watched / '.regista' / 'regista.db'}")
    spent = {one.name: one for one in sums(database, "cause")}
    assert spent["judge"].calls >= 1
    assert spent["judge"].exact_nano + spent["judge"].estimated_nano > 0
    assert [one.name for one in sums(database, "tenant")] == ["evaluation", "default"]
    database.close()


async def test_a_share_is_the_same_traces_in_every_process(watched: Path) -> None:
    toml = watched / "regista.toml"
    toml.write_text(toml.read_text().replace("share = 1.0", "share = 0.25"))
    await ask(watched, *(f"{n}" for n in range(200)))
    database = connect(f"sqlite://{watched / '.regista' / 'regista.db'}")
    scored = {row[0] for row in database.query("SELECT id FROM evaluation_cases")}
    served = {row[0].hex() for row in database.query("SELECT id FROM traces")}
    assert scored == {trace for trace in served if int(trace[-8:], 16) < 2**30}
    assert len(served) == 200
    database.close()


async def test_evaluating_the_application_is_not_scored_as_traffic(watched: Path) -> None:
    database = connect(f"sqlite://{watched / '.regista' / 'regista.db'}")
    bench = Bench(watched, settings(), database)
    await bench.evaluate("live")
    await bench.close()
    assert database.query("SELECT count(*) FROM evaluation_runs WHERE target = 'live traces'") == [(0,)]
    database.close()


async def test_a_scorer_that_needs_a_reference_is_refused_when_the_application_opens(watched: Path) -> None:
    (watched / "evals" / "live.toml").write_text('cases = "live.jsonl"\n[scorers.exact]\n')
    with pytest.raises(ConfigurationError, match="needs the reference 'answer', which live traffic has not"):
        await ask(watched, "?")


async def test_a_suite_that_is_not_there_is_a_mistake_of_the_folder(watched: Path) -> None:
    (watched / "evals" / "live.toml").rename(watched / "evals" / "life.toml")
    with pytest.raises(ConfigurationError, match=r"regista.toml:6: There is no evals/live.toml. Did you mean 'life'"):
        await ask(watched, "?")


async def test_a_saved_suite_that_cannot_watch_leaves_the_last_good_one(watched: Path) -> None:
    async with open_app(watched) as app:
        toml = watched / "regista.toml"
        (watched / "evals" / "exact.toml").write_text('cases = "live.jsonl"\n[scorers.exact]\n')
        toml.write_text(toml.read_text().replace('suite = "live"', 'suite = "exact"'))
        await app._platform.reload()  # pyright: ignore[reportPrivateUsage]
        assert "needs the reference" in app._platform.problem  # pyright: ignore[reportPrivateUsage]
        assert (await app.ask("still here")).answer


async def test_what_waits_to_be_scored_is_let_go_where_somebody_is_erased(watched: Path) -> None:
    """What would be scored later would be stored once they are gone."""
    async with open_app(watched) as app:
        live = app._platform._live  # pyright: ignore[reportPrivateUsage]
        assert live is not None
        for question in ("one", "two"):
            await app.ask(question)
        await live.empty()
        with closing(connect(f"sqlite://{watched / '.regista' / 'regista.db'}")) as database:
            known = database.query("SELECT count(*) FROM evaluation_cases")[0][0]
            assert known + live.left_out == 2
            await asyncio.sleep(0.1)
            assert database.query("SELECT count(*) FROM evaluation_cases") == [(known,)]
