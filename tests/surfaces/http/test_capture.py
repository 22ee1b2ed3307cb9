"""How much of what is said a running server keeps: `[observe] capture`, looked for in every byte it leaves behind."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live, Start
from tests.surfaces.http.test_otlp import asked, sdk_of
from tests.surfaces.http.test_users import ask, holding, store, until

from regista.core.nouns import Trace
from regista.store import connect, evaluations, feedback, ledger, traces
from regista.surfaces.cli._run import run

WORDS = ("quokkaberry", "zanzimarmot", "yellowplover", "hexatapir")
MAIL, CARD = "ana.lindqvist@example.org", "4111 1111 1111 1111"


def shop(start: Start, tmp_path: Path, upstream: Upstream, capture: str) -> tuple[Live, Live]:
    """A server that keeps so much, with all that writes words switched on, and the collector its traces go to."""
    (tmp_path / "shop" / "evals").mkdir(parents=True)
    (tmp_path / "shop" / "evals" / "live.jsonl").write_text('{"id": "1", "input": "?"}\n')
    (tmp_path / "shop" / "evals" / "live.toml").write_text(
        'cases = "live.jsonl"\n[scorers.said]\nscorer = "regex"\npattern = "quokka"\n'
    )
    sink = start('[app]\nname = "sink"\n[models.default]\nmodel = "echo/any"\n', folder="sink")
    live = start(
        f"""
[app]
name = "shop"
[models.default]
model = "echo/any"
[models.broken]
model = "openai/s500"
base_url = "{upstream.url("/s500")}"
retries = 0
[cache]
exact = true
[evaluation]
suite = "live"
share = 1.0
[feedback]
signals = "all"
over_after_s = 1
[observe]
capture = "{capture}"
otlp = "{sink.url}/v1/otlp"
content = true
"""
    )
    return live, sink


def said(live: Live) -> list[Trace]:
    """All that is said to it, in its traces."""
    first = ask(live, "none", f"{WORDS[0]} for {MAIL}, card {CARD}", MAIL)
    again = [
        {"role": "user", "content": f"{WORDS[0]} for {MAIL}, card {CARD}"},
        {"role": "assistant", "content": first.json()["choices"][0]["message"]["content"]},
        {"role": "user", "content": f"no, I meant the {WORDS[1]}! write to {MAIL}"},
    ]
    ask(live, "none", "", MAIL, messages=again)
    ask(live, "none", f"{WORDS[2]} {MAIL}", MAIL, model="openai/s500")
    with sdk_of(live) as tracer, tracer.start_as_current_span("chat") as span:
        asked(span, f"{WORDS[3]} of {MAIL}?", f"Ask {MAIL}.")
        span.set_attribute("user.id", MAIL)
        span.add_event("thought", {"text": f"{WORDS[3]} {MAIL}"})
    with closing(connect(store(live))) as database:
        until(lambda: len(traces.recent(database)) >= 4)
        until(lambda: any(one.feedback.name == "correction" for one in feedback.recent(database)))
        until(lambda: any(evaluations.count(database, one.id) >= 2 for one in evaluations.runs(database, "shop")))
        return [traces.find(database, row.id) for row in traces.recent(database)]


def exported(sink: Live) -> None:
    with closing(connect(store(sink))) as database:
        until(lambda: len(traces.recent(database)) >= 3)


def test_with_off_no_word_is_left_anywhere_but_figures_are(start: Start, tmp_path: Path, upstream: Upstream) -> None:
    live, sink = shop(start, tmp_path, upstream, "off")
    kept = said(live)
    exported(sink)
    assert [trace.question + trace.answer for trace in kept] == [""] * 4
    assert sorted(trace.status for trace in kept) == ["error", "ok", "ok", "ok"]
    assert all(trace.usage.input_tokens > 0 for trace in kept if trace.status == "ok")
    assert {span.stage for trace in kept for span in trace.spans} >= {"authenticate", "cache", "generate"}
    with closing(connect(store(live))) as database:
        assert all(not one.feedback.evidence for one in feedback.recent(database))
        assert ledger.sums(database, "model")
        (scored,) = evaluations.runs(database, "shop")
        assert evaluations.count(database, scored.id) >= 2
    assert live.stop() == sink.stop() == 0
    assert holding(tmp_path, *WORDS, "lindqvist", CARD) == {}


def test_with_masked_only_what_is_personal_is_hidden(start: Start, tmp_path: Path, upstream: Upstream) -> None:
    live, sink = shop(start, tmp_path, upstream, "masked")
    kept = said(live)
    exported(sink)
    questions = " ".join(trace.question for trace in kept)
    assert all(word in questions for word in WORDS) and "[EMAIL]" in questions and "[CREDIT_CARD]" in questions
    with closing(connect(store(live))) as database:
        (found,) = (one.feedback for one in feedback.recent(database) if one.feedback.evidence)
        (words,) = found.evidence
        about = traces.find(database, words.trace)
        assert words.text == (about.question if words.of == "question" else about.answer)[words.start : words.end]
        assert len(traces.recent(database, user=MAIL)) == 4, "A name that is hidden is still found by."
    assert live.stop() == sink.stop() == 0
    assert holding(tmp_path, "lindqvist", CARD) == {}
    assert holding(live.folder, *WORDS)
    assert run(["forget", str(live.folder), "--user", MAIL, "--yes"]) == 0
    assert holding(live.folder, *WORDS) == {}


def test_a_saved_change_of_what_is_kept_holds_from_then_on(start: Start) -> None:
    live = start('[app]\nname = "shop"\n[models.default]\nmodel = "echo/any"\n[observe]\ncapture = "off"\n')
    ask(live, "none", WORDS[0], "one")
    configuration = live.folder / "regista.toml"
    configuration.write_text(configuration.read_text().replace('"off"', '"full"'))

    def changed() -> Any:
        ask(live, "none", WORDS[1], "two")
        with closing(connect(store(live))) as database:
            return [row.question for row in traces.recent(database, user="two") if row.question]

    until(changed)
    with closing(connect(store(live))) as database:
        assert [row.question for row in traces.recent(database, user="one")] == [""]


@pytest.mark.parametrize("capture", ["nothing", "Full"])
def test_a_level_there_is_not_is_refused_with_those_there_are(
    tmp_path: Path, capture: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "answer.prompt").write_text("{{question}}\n")
    (tmp_path / "regista.toml").write_text(
        f'[models.default]\nmodel = "echo/any"\n[observe]\ncapture = "{capture}"\nkeep = "30 days"\n'
    )
    assert run(["check", str(tmp_path)]) == 1
    told = capsys.readouterr().out
    assert "masked" in told and '"30d"' in told
