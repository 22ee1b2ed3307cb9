"""Batches on a real Ray, started here and ended with the batch. It is a gigabyte, and so no part of the extra dev."""

from importlib.util import find_spec

import pytest
from tests._upstream.server import Upstream
from tests.surfaces.cli.conftest import Demo
from tests.surfaces.cli.test_batch import Begin, answers, asked, begin, rows, slow

from regista.store import batches
from regista.surfaces.cli._run import run

__all__ = ["begin"]
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'regista[ray]'")
RAY_S = 300
"""Ray takes its time to start."""


@needs_ray
@pytest.mark.timeout(RAY_S)
def test_a_batch_is_spread_over_ray(demo: Demo, begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTA_RAY", "local")
    lines = [*rows(600), *rows(1, "nobody/at-home", custom_id="lost")]
    shown = begin("run", asked(demo, lines)).ended(1, patience_s=200)
    assert "600 of 601 lines answered, 1 failed" in shown
    assert [row["custom_id"] for row in answers(demo.folder / "in.out.jsonl")] == [f"c{n}" for n in range(600)]
    assert [row["custom_id"] for row in answers(demo.folder / "in.errors.jsonl")] == ["lost"]
    (calls,) = demo.store().query("SELECT count(*) FROM ledger WHERE cause = 'batch'")
    assert calls == (600,)


@needs_ray
@pytest.mark.timeout(RAY_S)
def test_killed_on_ray_it_goes_on_without_and_asks_no_line_that_was_done(
    demo: Demo, upstream: Upstream, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_since = slow(demo, upstream)
    monkeypatch.setenv("REGISTA_RAY", "local")
    first = begin("run", asked(demo, rows(1200)), "--concurrency", "8")
    first.until(20, patience_s=200)
    first.process.kill()
    first.process.communicate()
    first.stays()
    done, before = first.done(), asked_since()
    assert 20 <= len(done) < 1200 and done <= set(before)
    monkeypatch.delenv("REGISTA_RAY")
    made = batches.of_application(demo.store(), "demo", 1)[0]
    assert "1,200 of 1,200 lines answered" in begin("resume", made.id).ended(0, patience_s=120)
    assert not done & set(asked_since()), "A line that was done is asked again."
    assert [row["custom_id"] for row in answers(demo.folder / "in.out.jsonl")] == [f"c{n}" for n in range(1200)]


@pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed.")
def test_without_ray_the_command_that_brings_it_is_told(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGISTA_RAY", "local")
    assert run(["batch", "run", asked(demo, rows(1))]) == 1
    assert "pip install 'regista[ray]'" in capsys.readouterr().err


@needs_ray
def test_a_cluster_needs_a_store_that_it_can_reach(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGISTA_RAY", "ray://elsewhere:10001")
    assert run(["batch", "run", asked(demo, rows(1))]) == 1
    assert "REGISTA_STORE=postgresql://" in capsys.readouterr().err
