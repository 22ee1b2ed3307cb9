"""What a client sees when a provider fails on the wire, and what the ledger has of it: no silent loss, no hang."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from benchmarks.gateway.faults import Outcome, calls_of, configuration, outcome, serving
from tests._upstream.faulty import FAULTS, STREAM_FAULTS, Faulty

ASKED = [(fault, False) for fault in FAULTS] + [(fault, True) for fault in STREAM_FAULTS]
WHOLE_ALONE = {
    ("good", False),
    ("drip", False),
    ("good", True),
    ("drip", True),
    ("slow", True),
    ("never-closes", True),
    ("cut-before-usage", True),
}
"""What a client gets whole from the model alone: slow answers, and those whose end came before the fault."""


class Place:
    """A server over models that lead to every fault, with every fault asked for once, all at the same time."""

    def __init__(self, faulty: Faulty, folder: Path, url: str) -> None:
        self.faulty = faulty
        self.folder = folder
        self.url = url
        with ThreadPoolExecutor(24) as pool:
            asked = {
                (fault, stream, covered): pool.submit(
                    outcome, faulty, folder, url, f"{fault}-covered" if covered else fault, stream=stream
                )
                for fault, stream in ASKED
                for covered in (False, True)
                if (fault, covered) != ("good", True)
            }
        self.outcomes: dict[tuple[str, bool, bool], Outcome] = {key: each.result() for key, each in asked.items()}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("faults") / "faults"
    (folder / "prompts").mkdir(parents=True)
    (folder / "prompts" / "answer.prompt").write_text('{{role "user"}}\n{{question}}\n')
    with Faulty() as faulty:
        (folder / "regista.toml").write_text(configuration(faulty))
        with serving(folder) as url:
            yield Place(faulty, folder, url)


@pytest.mark.parametrize(("fault", "stream"), ASKED)
def test_a_fault_is_an_error_the_client_can_see_and_never_a_short_success(
    place: Place, fault: str, stream: bool
) -> None:
    seen = place.outcomes[fault, stream, False].seen
    assert seen.verdict == ("full" if (fault, stream) in WHOLE_ALONE else "error"), seen


@pytest.mark.parametrize(("fault", "stream"), [each for each in ASKED if each[0] != "good"])
def test_with_a_fallback_every_fault_ends_in_the_whole_answer(place: Place, fault: str, stream: bool) -> None:
    found = place.outcomes[fault, stream, True]
    assert found.seen.verdict == "full", found


@pytest.mark.parametrize("covered", [False, True])
@pytest.mark.parametrize(("fault", "stream"), ASKED)
def test_the_ledger_has_what_was_billed_or_says_that_it_guesses(
    place: Place, fault: str, stream: bool, covered: bool
) -> None:
    found = place.outcomes.get((fault, stream, covered))
    if found is not None:
        assert found.ledger in ("exact", "estimated"), found
        told = place.outcomes["good", stream, False]
        assert told.ledger == "exact"


def test_a_client_that_leaves_ends_the_call_upstream_and_is_entered_as_an_estimate(place: Place) -> None:
    question = f"q{time.time_ns()}"
    body = {"model": "openai/slow", "messages": [{"role": "user", "content": f"{question} please"}], "stream": True}
    with httpx2.stream("POST", f"{place.url}/v1/chat/completions", json=body, timeout=10) as reply:
        trace = reply.headers["x-regista-trace"]
        chunks = reply.iter_lines()
        for _ in range(8):
            next(chunks)
    (call,) = calls_of(place.folder, trace)
    assert (call.status, call.exact) == ("cancelled", False)
    assert call.usage.output_tokens > 0 and call.cost_nano
    time.sleep(0.2)  # the provider learns of it at its next piece
    billed = place.faulty.bill(question)
    time.sleep(0.2)
    assert place.faulty.bill(question) == billed, "the provider is still at work for a client that has left"


def test_no_connection_stays_with_a_provider_that_never_ends_its_answer(place: Place) -> None:
    end = time.monotonic() + 10
    while place.faulty.waiting and time.monotonic() < end:
        time.sleep(0.05)
    assert place.faulty.waiting == 0
