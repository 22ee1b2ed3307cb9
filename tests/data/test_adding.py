import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.test_rollups import trace

from regista.core.errors import ConfigurationError, RequestError
from regista.data.adding import add
from regista.data.dataset import Example, path_of, read, same, versions
from regista.data.from_traces import example_of, masking
from regista.evaluate.cases import read_cases
from regista.serve.guardrails import guardrails


def asked(n: int, question: str, reference: str = "", answer: str = "Yes.") -> Example:
    return example_of(trace(n, n, question=question, answer=answer), reference)


def test_what_is_added_stands_behind_what_was_there(tmp_path: Path) -> None:
    first = add(tmp_path, "picked", [asked(1, "Open?")], (), "shop")
    second = add(tmp_path, "picked", [asked(2, "Closed?")], (), "shop")
    assert [one.input for one in read(tmp_path, second)] == ["Open?", "Closed?"]
    assert (second.parent, second.examples, second.filters) == (first.version, 2, {"added": 1})
    assert versions(tmp_path, "picked") == [second, first]


def test_a_question_that_is_there_is_replaced_and_its_reference_stays(tmp_path: Path) -> None:
    add(tmp_path, "picked", [asked(1, "Open?", "From nine."), asked(2, "Where?")], (), "shop")
    kept = add(tmp_path, "picked", [asked(3, " open? ", answer="At ten.")], (), "shop")
    assert [(one.input, one.output, one.reference) for one in read(tmp_path, kept)] == [
        ("Where?", "Yes.", ""),
        (" open? ", "At ten.", "From nine."),
    ]
    assert kept.left_out == {"asked again": 1}


def test_a_reference_is_the_answer_that_scorers_compare_with(tmp_path: Path) -> None:
    kept = add(tmp_path, "picked", [asked(1, "Open?", "From nine."), asked(2, "Where?")], (), "shop")
    known, unknown = read_cases(path_of(tmp_path, kept))
    assert known.references["answer"] == "From nine."
    assert "answer" not in unknown.references


def test_secrets_and_personal_data_are_hidden_in_every_text(tmp_path: Path) -> None:
    said = "Write to jo@example.org"
    kept = add(tmp_path, "picked", [asked(1, said, said, said)], masking(), "shop")
    (only,) = read(tmp_path, kept)
    assert {only.input, only.output, only.reference} == {"Write to [EMAIL]"}
    assert kept.masked == {"email": 3}


def test_what_was_not_masked_is_not_said_to_be_so_when_more_is_added(tmp_path: Path) -> None:
    add(tmp_path, "picked", [asked(1, "Write to jo@example.org")], (), "shop", {"mask": False})
    assert add(tmp_path, "picked", [asked(2, "Where?")], masking(), "shop").filters["mask"] is False
    assert add(tmp_path, "picked", [asked(3, "Why?")], masking(), "shop", {"mask": True}).filters["mask"] is False


def test_what_may_not_be_an_example_is_refused_with_the_reason(tmp_path: Path) -> None:
    blocking = [("secrets", guardrails.build("secrets", action="block"))]
    with pytest.raises(RequestError, match="1 blocked by a guardrail"):
        add(tmp_path, "picked", [asked(1, "The key is AKIA" + "IOSFODNN7QRSTUVW")], blocking, "shop")
    with pytest.raises(RequestError, match="1 without a question"):
        add(tmp_path, "picked", [asked(1, " ")], (), "shop")
    with pytest.raises(ConfigurationError, match="no name of a dataset"):
        add(tmp_path, "../elsewhere", [asked(1, "Open?")], (), "shop")
    assert not list(tmp_path.rglob("*.jsonl"))


def test_what_comes_to_an_older_version_is_the_newest_again(tmp_path: Path) -> None:
    first = add(tmp_path, "picked", [asked(1, "Open?")], (), "shop")
    second = add(tmp_path, "picked", [asked(1, "Open?", answer="No.")], (), "shop")
    third = add(tmp_path, "picked", [asked(1, "Open?")], (), "shop")
    assert third.version == first.version
    assert [one.version for one in versions(tmp_path, "picked")] == [first.version, second.version]


def test_of_those_that_threads_add_at_once_none_is_lost(tmp_path: Path) -> None:
    def put(n: int) -> None:
        add(tmp_path, "picked", [asked(n, f"Question {n}?")], (), "shop")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(put, range(24)))
    there = read(tmp_path, versions(tmp_path, "picked")[0])
    assert {one.input for one in there} == {f"Question {n}?" for n in range(24)}


def test_of_those_that_processes_add_at_once_none_is_lost(tmp_path: Path) -> None:
    code = f"""
import time
from pathlib import Path
from regista.data.adding import add
from regista.data.dataset import Example
while time.time() < {time.time() + 1.5}: pass
for n in range(10):
    one = Example("{{}}" + str(n), "{{}} asks " + str(n), "Yes.", "", "v", "m", "ok", n)
    add(Path({str(tmp_path)!r}), "picked", [one], (), "shop")
"""
    running = [subprocess.Popen([sys.executable, "-c", code.replace("{}", name)]) for name in ("first", "second")]
    assert [one.wait() for one in running] == [0, 0]
    assert versions(tmp_path, "picked")[0].examples == 20


@given(st.lists(st.lists(st.sampled_from(["a", "A", " a", "b", "c"]), min_size=1, max_size=4), min_size=1, max_size=6))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_newest_version_has_every_question_once_with_its_last_answer(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[str]]
) -> None:
    folder, last, n = tmp_path_factory.mktemp("shop"), dict[str, str](), 0
    for batch in batches:
        examples: list[Example] = []
        for question in batch:
            n += 1
            examples.append(asked(n, question, answer=f"{n}"))
            last[same(question)] = f"{n}"
        add(folder, "picked", examples, (), "shop")
    newest = versions(folder, "picked")[0]
    assert {same(one.input): one.output for one in read(folder, newest)} == last
