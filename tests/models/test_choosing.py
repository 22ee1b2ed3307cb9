"""Several answers and one that is given: which, why, at what cost, and what one failure does."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models._asking import asked, saying

from regista.core.errors import ProviderError, RequestError
from regista.core.nouns import Delta, Request, ToolCallPart, Usage
from regista.models.answers import answer_of
from regista.models.choosing import ByScore, Samples, Verified, comes_to, longest, majority, shortest
from regista.models.final_answers import final
from regista.models.providers import Provider


class Failing:
    """Fails at the calls of these numbers, from 0."""

    def __init__(self, provider: Provider, *calls: int) -> None:
        self._provider = provider
        self._calls = calls
        self._now = -1

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        self._now += 1
        if self._now in self._calls:
            raise ProviderError("down", upstream_status=500)
        async for delta in self._provider.generate(request):
            yield delta


def test_the_answer_that_most_come_to_is_given_whatever_their_words() -> None:
    model = saying("It is 5.\nAnswer: 5", "Answer: **4**", "4.0", "So the final answer is: 4!", "7")
    client = asked(Samples(model, 5, majority))
    assert client.text == "Answer: **4**" and client.finishes == ["stop"]
    assert client.causes == ["sample"] * 5
    assert client.notes == ["answer 2 of 5 is given: 3 of 5 come to the same"]
    assert client.usage == sum((call.usage for call in client.calls), Usage())


def test_of_groups_of_one_size_the_first_is_given() -> None:
    assert asked(Samples(saying("b", "a", "a", "b"), 4, majority)).text == "b"


def test_the_longest_and_the_shortest() -> None:
    assert asked(Samples(saying("aa", "a", "aaa"), 3, longest)).text == "aaa"
    assert asked(Samples(saying("aa", "a", "aaa"), 3, shortest)).text == "a"


def test_a_sample_that_fails_is_left_out_and_told() -> None:
    client = asked(Samples(Failing(saying("a", "b", "a"), 1, 3), 5, majority))
    assert client.text == "a" and "2 failed" in client.notes[0] and client.error is None


class Ending:
    """Answers in turn, each with its finish reason, or by calling the tool that it names."""

    def __init__(self, *answers: tuple[str, str]) -> None:
        self._answers = iter(answers)

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        said, finish = next(self._answers)
        if finish == "tool_calls":
            yield Delta(tool_calls=(ToolCallPart(0, "c", said, "{}"),))
            said = ""
        yield Delta(said, finish=finish, usage=Usage(1, 1))


def test_an_answer_that_was_cut_off_is_given_only_where_all_were() -> None:
    client = asked(Samples(Ending(("So much and more", "length"), ("4", "stop"), ("5", "content_filter")), 3, longest))
    assert client.text == "4" and client.usage == Usage(3, 3), "All are paid for."
    assert client.notes == ["answer 1 of 1 is given: it is the longest, with 1 characters; 2 were cut off"]
    assert asked(Samples(Ending(("a", "length"), ("ab", "length")), 2, longest)).text == "ab"


def test_a_verifier_sees_what_was_called() -> None:
    judge = saying("10", "90")
    client = asked(Samples(Ending(("look", "tool_calls"), ("find", "tool_calls")), 2, Verified(judge)))
    assert len(judge.asked) == 2 and "find {}" in judge.asked[1].messages[0].text
    assert [part.name for delta in client.deltas for part in delta.tool_calls] == ["find"]


def test_if_all_fail_the_answer_does() -> None:
    client = asked(Samples(Failing(saying("a"), 0, 1, 2), 3, majority))
    assert client.error is not None and client.error.message == "down" and not client.deltas


def test_samples_are_asked_at_once() -> None:
    under_way, most = 0, 0

    class Slow:
        async def generate(self, request: Request) -> AsyncGenerator[Delta]:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1
            yield Delta("x", finish="stop", usage=Usage(1, 1))

    asked(Samples(Slow(), 7, majority))
    assert most == 7


def test_leaving_leaves_no_call_behind() -> None:
    ended: list[str] = []

    class Endless:
        async def generate(self, request: Request) -> AsyncGenerator[Delta]:
            try:
                await asyncio.Event().wait()
                yield Delta("never")
            finally:
                ended.append("ended")

    async def leave() -> None:
        task = asyncio.ensure_future(anext(Samples(Endless(), 4, majority).generate(Request("m", ()))))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(leave())
    assert ended == ["ended"] * 4


def test_each_sample_has_a_seed_of_its_own() -> None:
    model = saying("x")
    asked(Samples(model, 3, majority), seed=7)
    assert [request.rest["seed"] for request in model.asked] == [7, 8, 9]


def test_several_choices_are_refused() -> None:
    client = asked(Samples(saying("x"), 3, majority), n=2)
    assert isinstance(client.error, RequestError) and client.error.param == "n"


def test_another_model_verifies_each_different_answer_once() -> None:
    judge = saying("Wrong.\n3", "Well argued.\n90", "Score: 20/100\n20")
    client = asked(Samples(saying("a", "b", "a", "c"), 4, Verified(judge)), "Which?")
    assert client.text == "b" and len(judge.asked) == 3
    assert "Which?" in judge.asked[0].messages[0].text and "<answer>\nb\n</answer>" in judge.asked[1].messages[0].text
    assert client.causes == ["sample"] * 7, "The verifier's calls are in the ledger too."
    assert client.usage == sum((call.usage for call in client.calls), Usage())
    assert client.notes == ["answer 2 of 4 is given: it is scored best, with 90"]


def test_a_verifier_that_fails_or_gives_no_number_leaves_it_to_the_majority() -> None:
    broken = Failing(saying("?"), 0, 1)
    client = asked(Samples(saying("a", "b", "b"), 3, Verified(broken)))
    assert client.text == "b" and "none could be scored" in client.notes[-1]
    assert asked(Samples(saying("a", "b", "b"), 3, Verified(saying("I cannot say.")))).text == "b"


@pytest.mark.parametrize(("verdict", "score"), [("90.", "90"), ("So: **90**", "90"), ("100", "100"), ("0", "0")])
def test_a_verdict_s_last_whole_number_is_the_score(verdict: str, score: str) -> None:
    client = asked(Samples(saying("a"), 1, Verified(saying(verdict))))
    assert client.notes == [f"answer 1 of 1 is given: it is scored best, with {score}"]


@pytest.mark.parametrize("verdict", ["0.9", "101", "Surely right."])
def test_a_verdict_without_one_is_no_score(verdict: str) -> None:
    assert "none could be scored" in asked(Samples(saying("a"), 1, Verified(saying(verdict)))).notes[-1]


async def length(question: str, answer: str) -> float:
    if answer == "bad":
        raise ValueError("no")
    return float(len(answer)) if answer != "odd" else float("nan")


def test_a_function_scores_and_one_score_that_fails_counts_for_nothing() -> None:
    client = asked(Samples(saying("bad", "odd", "a", "aaa", "aa"), 5, ByScore(length)))
    assert client.text == "aaa"
    assert asked(Samples(saying("bad", "bad", "odd"), 3, ByScore(length))).text == "bad"


def test_tool_calls_are_counted_by_what_they_call() -> None:
    client = asked(Samples(saying("x", calls=('look {"a": 1}',)), 3, majority))
    assert client.finishes == ["tool_calls"] and client.deltas[0].tool_calls[0].name == "look"


def test_calls_are_the_same_whose_arguments_are() -> None:
    """However they are written: a model sets its spaces and its order as it likes."""
    written = ['{"a": 1, "b": 2}', '{"b":2,"a":1}', '{"a": 2}']
    deltas = [(Delta(tool_calls=(ToolCallPart(0, f"c{i}", "look", said),)),) for i, said in enumerate(written)]
    first, second, third = (comes_to(answer_of(answer)) for answer in deltas)
    assert first == second != third


SAME = [
    [
        "4",
        "4.0",
        " 4. ",
        "Answer: 4",
        "**Answer:** 4",
        "The answer is 4.",
        "so\nFinal answer: $4.00",
        "\\boxed{4}",
        "+4",
    ],
    ["1,000", "1000", "answer = 1000.0"],
    ["1,234,567.50", "1234567.5", "01234567.5"],
    ["0", "-0", "0.00"],
    ["Paris", "paris.", '"Paris"', "Answer: Paris", "  PARIS "],
    ['{"a": 1, "b": [2]}', '{ "b":[2],"a":1 }'],
    ["\\boxed{\\frac{1}{2}}", "x = \\boxed{\\frac{1}{2}}"],
]


@pytest.mark.parametrize("answers", SAME)
def test_the_same_answer_in_other_words_is_the_same(answers: list[str]) -> None:
    assert len({final(answer) for answer in answers}) == 1


def test_other_answers_are_others() -> None:
    answers = ["4", "5", "-4", "4.5", "Paris", "Rome", '{"a": 1}', '{"a": 2}', "14", "0.4", "(1,2)", "12", "1,5", "15"]
    answers += ["9" * 40, "9" * 39 + "8", "42\nAnswering it took long.", "43\nAnswering it took long."]
    assert len({final(answer) for answer in answers}) == len(answers)


@given(answers=st.lists(st.sampled_from("abc"), min_size=1, max_size=9), failing=st.sets(st.integers(0, 8)))
def test_the_majority_of_those_that_came_is_given(answers: list[str], failing: set[int]) -> None:
    came = [answer for place, answer in enumerate(answers) if place not in failing]
    model = saying(*(came or ["x"]))
    client = asked(Samples(Failing(model, *failing), len(answers), majority))
    if not came:
        assert client.error is not None
    else:
        assert came.count(client.text) == max(came.count(answer) for answer in came)
        assert len(client.calls) == len(came)
