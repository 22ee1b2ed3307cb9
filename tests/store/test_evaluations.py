import json
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regista.core.digest import content_key
from regista.core.evaluation import Case, Output, Report, Score, Step, input_of
from regista.core.nouns import ToolCall, Usage
from regista.store import Database, connect, evaluations
from regista.store.evaluations import Batch, Result, Run

_encode = msgspec.msgpack.Encoder().encode


def run_of(run: str = "r", **changes: Any) -> Run:
    whole = Run(run, "app", "s", "sd", "base", "vd", "target", 1, "exact", {"exact": "d"}, {}, 3, 1)
    return msgspec.structs.replace(whole, **changes)


def report_of(run: str = "r") -> Report:
    return Report(run, "s", "sd", "app", "base", "vd", "target", 3, 1, 1, 1, None, "exact", ())


def case_of(n: int, **fields: Any) -> tuple[bytes, Case]:
    case = Case(f"c{n}", input_of(f"{n}?"), **fields)
    return content_key(_encode(case)), case


def output_of(key: bytes, output: Output) -> tuple[bytes, bytes, bytes, Output]:
    body = _encode(output)
    return key, content_key(body), body, output


def tried(n: int, output: Output, repetition: int = 0, **fields: Any) -> Batch:
    """A batch of one result with its case and its output."""
    digest, case = case_of(n, **fields)
    kept = output_of(b"o%d.%d" % (n, repetition), output)
    return Batch([(digest, case)], [kept], [], [Result(n, repetition, digest, kept[0], kept[1])])


def lines(database: Database, run: str) -> list[evaluations.Scored]:
    return [line for page in evaluations.results(database, run) for line in page]


def test_a_run_is_whole_once_it_has_its_report(database: Database) -> None:
    evaluations.begin(database, run_of())
    assert evaluations.report_of(database, "r") is None
    (run,) = evaluations.runs(database, "app")
    assert run == run_of()
    evaluations.finish(database, report_of())
    assert evaluations.report_of(database, "r") == report_of()
    (run,) = evaluations.runs(database, "app", "s")
    assert run.finished_ns is not None and run.finished_ns > 0
    assert evaluations.report_of(database, "another") is None


def test_a_run_that_begins_again_loses_its_report_and_keeps_what_was_done(database: Database) -> None:
    evaluations.begin(database, run_of())
    evaluations.write(database, tried(0, Output("a")), "r")
    evaluations.finish(database, report_of())
    evaluations.begin(database, run_of(started_ns=2))
    assert evaluations.report_of(database, "r") is None
    assert len(lines(database, "r")) == 1
    assert evaluations.outputs(database, [b"o0.0"])[b"o0.0"].output == Output("a")
    (run,) = evaluations.runs(database, "app")
    assert run.started_ns == 2


def test_runs_are_those_of_an_application_and_a_suite_the_newest_first(database: Database) -> None:
    for name, changes in {
        "a": {"started_ns": 1},
        "b": {"started_ns": 3, "only": {"exact": {"kind": "count"}}},
        "c": {"started_ns": 2, "suite": "t"},
        "d": {"application": "other"},
    }.items():
        evaluations.begin(database, run_of(name, **changes))
    assert [run.id for run in evaluations.runs(database, "app")] == ["b", "c", "a"]
    assert [run.id for run in evaluations.runs(database, "app", "s")] == ["b", "a"]
    assert evaluations.runs(database, "app")[0].only == {"exact": {"kind": "count"}}
    assert evaluations.runs(database, "nobody") == []


def test_results_come_in_order_with_what_figures_are_broken_down_by(database: Database) -> None:
    evaluations.begin(database, run_of())
    evaluations.write(database, tried(2, Output(error="down")), "r")
    evaluations.write(database, tried(0, Output("a"), 1, cluster="k", slices={"odd": "0"}, weight=2.5), "r")
    evaluations.write(database, tried(0, Output("b"), 0, cluster="k", slices={"odd": "0"}, weight=2.5), "r")
    evaluations.write(database, tried(1, Output("c"), critical=True), "r")
    evaluations.write(database, tried(7, Output("of another run")), "another")
    found = lines(database, "r")
    assert [(line.n, line.repetition, line.id) for line in found] == [
        (0, 0, "c0"),
        (0, 1, "c0"),
        (1, 0, "c1"),
        (2, 0, "c2"),
    ]
    assert (found[0].cluster, json.loads(found[0].slices), found[0].weight) == ("k", {"odd": "0"}, 2.5)
    assert [bool(line.failed) for line in found] == [False, False, False, True]
    assert [bool(line.critical) for line in found] == [False, False, True, False]
    assert evaluations.any_output(database, [found[0].output])[found[0].output].text == "b"


def test_results_come_in_pages_and_every_one_comes(database: Database) -> None:
    digest, case = case_of(0)
    kept = output_of(b"o", Output("a"))
    count = 12_000
    results = [Result(n, 0, digest, kept[0], kept[1]) for n in range(count)]
    evaluations.write(database, Batch([(digest, case)], [kept], [], results), "r")
    pages = list(evaluations.results(database, "r"))
    assert [line.n for page in pages for line in page] == list(range(count))
    assert max(map(len, pages)) < count


outputs = st.builds(
    Output,
    text=st.text(max_size=2_000),
    tool_calls=st.lists(st.builds(ToolCall, st.text(max_size=9), st.text(max_size=9), st.text(max_size=9))).map(tuple),
    steps=st.lists(st.builds(Step, st.text(max_size=9), st.text(max_size=9), st.text(max_size=2_000))).map(tuple),
    finish=st.none() | st.just("stop"),
    usage=st.none() | st.builds(Usage, st.integers(0, 10**9), st.integers(0, 10**9)),
    cost_nano=st.none() | st.integers(0, 10**15),
    duration_ns=st.integers(0, 10**15),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(outputs)
def test_an_output_comes_back_as_it_was_however_large(database: Database, output: Output) -> None:
    kept = output_of(content_key(_encode(output)), output)
    evaluations.write(database, Batch([], [kept], [], []), "")
    assert evaluations.outputs(database, [kept[0]]) == {kept[0]: evaluations.Kept(kept[1], output)}
    assert evaluations.any_output(database, [kept[0]]) == {kept[0]: output}


def test_large_outputs_take_less_room_than_they_have(database: Database) -> None:
    kept = output_of(b"o", Output("the same again, " * 1_000))
    evaluations.write(database, Batch([], [kept], [], []), "")
    assert database.query("SELECT length(body) < 1000 FROM evaluation_outputs") == [(1,)]


def test_a_failed_output_is_made_again_and_the_next_one_takes_its_place(database: Database) -> None:
    evaluations.begin(database, run_of())
    evaluations.write(database, tried(0, Output(error="down")), "r")
    assert evaluations.outputs(database, [b"o0.0"]) == {}
    assert evaluations.any_output(database, [b"o0.0"])[b"o0.0"].error == "down"
    evaluations.write(database, tried(0, Output("up")), "r")
    assert evaluations.outputs(database, [b"o0.0"])[b"o0.0"].output.text == "up"
    (line,) = lines(database, "r")
    assert not line.failed
    assert line.output_digest == evaluations.outputs(database, [b"o0.0"])[b"o0.0"].digest


def test_scores_come_back_whole_and_those_of_status_error_are_made_again(database: Database) -> None:
    given_scores = {
        b"ok": Score(0.25, reason="Nearly.", detail={"draws": [1, None], "é": "…"}),
        b"unscored": Score(None, "unscored", "It says nothing."),
        b"error": Score(None, "error", "ValueError: no"),
    }
    evaluations.write(database, Batch([], [], list(given_scores.items()), []), "")
    assert evaluations.scores(database, [*given_scores, b"nowhere"]) == given_scores
    assert evaluations.scored(database, [*given_scores, b"nowhere"]) == {b"ok", b"unscored"}
    evaluations.write(database, Batch([], [], [(b"error", Score(1.0))], []), "")
    assert evaluations.scored(database, [b"error"]) == {b"error"}


def test_thousands_of_keys_are_asked_for_at_once(database: Database) -> None:
    keys = [b"k%d" % n for n in range(3_000)]
    evaluations.write(database, Batch([], [], [(key, Score(n / 7)) for n, key in enumerate(keys)], []), "")
    found = evaluations.scores(database, keys)
    assert [found[key].value for key in keys] == [n / 7 for n in range(3_000)]
    assert evaluations.scores(database, []) == {}


def test_a_case_comes_back_with_its_references(database: Database) -> None:
    references = {"answer": "ä" * 900, "documents": {"a.md": 2}}
    digest, case = case_of(1, references=references, slices={"team": "B"}, critical=True)
    evaluations.write(database, Batch([(digest, case), (digest, case)], [], [], []), "")
    assert evaluations.cases(database, [digest]) == {digest: case}


@pytest.mark.parametrize(("costs", "total"), [([3, 4], 7), ([3, None], None), ([], 0), ([10**15, 1], 10**15 + 1)])
def test_a_cost_is_exact_or_unknown(database: Database, costs: list[int | None], total: int | None) -> None:
    for n, cost in enumerate(costs):
        evaluations.write(database, tried(n, Output("a", cost_nano=cost)), "r")
    evaluations.write(database, tried(9, Output("a", cost_nano=100)), "another")
    assert evaluations.cost(database, "r") == total


def test_a_run_that_never_ends_grows_by_one_result_at_a_time(database: Database) -> None:
    for n in range(3):
        batch = tried(n, Output(f"{n}"))
        (result,) = batch.results
        evaluations.append(database, run_of(cases=0), batch, result.case, result.output, result.output_digest)
    assert [(line.n, line.id) for line in lines(database, "r")] == [(0, "c0"), (1, "c1"), (2, "c2")]
    (run,) = evaluations.runs(database, "app")
    assert (run.cases, run.finished_ns) == (3, None)


def test_a_judge_has_one_passport_the_newest(database: Database) -> None:
    assert evaluations.passport(database, "j") is None
    evaluations.keep_passport(database, "j", b"one")
    evaluations.keep_passport(database, "j", b"two")
    evaluations.keep_passport(database, "k", b"three")
    assert evaluations.passport(database, "j") == b"two"


def test_a_batch_is_written_whole_or_not_at_all(database: Database) -> None:
    batch = tried(0, Output("a"))
    broken: Any = Result(1, 0, None, b"o", b"d")  # pyright: ignore[reportArgumentType]
    with pytest.raises(Exception, match=r"(?i)not.null"):
        evaluations.write(database, batch._replace(results=[*batch.results, broken]), "r")
    assert evaluations.any_output(database, [b"o0.0"]) == {}
    assert lines(database, "r") == []


def test_many_writers_lose_nothing(database: Database) -> None:
    def work(n: int) -> None:
        evaluations.write(database, tried(n, Output(f"{n}")), "r")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(200)))
    assert [line.n for line in lines(database, "r")] == list(range(200))


def test_what_was_written_is_there_for_another_process(database: Database, url: str) -> None:
    evaluations.write(database, tried(0, Output("a" * 600)), "r")
    other = connect(url, read_only=True)
    assert evaluations.any_output(other, [b"o0.0"])[b"o0.0"].text == "a" * 600
    other.close()


def test_a_detail_that_is_no_number_comes_back_as_it_was(database: Database) -> None:
    score = Score(1.0, detail={"perplexity": math.inf, "draws": [math.nan]})
    evaluations.write(database, Batch([], [], [(b"k", score)], []), "")
    found = evaluations.scores(database, [b"k"])[b"k"].detail
    assert found["perplexity"] == math.inf and math.isnan(found["draws"][0])
