from hypothesis import given
from hypothesis import strategies as st
from tests.store.test_rollups import trace

from regista.data.from_traces import examples_of
from regista.serve.guardrails import guardrails

GUARDS = [(name, guardrails.build(name)) for name in ("secrets", "pii")]


def test_a_question_asked_again_is_one_example_with_its_newest_answer() -> None:
    made = examples_of(
        [trace(1, 1, question="Where is it?", answer="Here."), trace(2, 2, question=" where  IS it?", answer="There.")],
        (),
    )
    assert [(one.output, one.trace) for one in made.examples] == [("There.", f"{2:032x}")]
    assert made.left_out == {"asked again": 1}


def test_what_is_personal_or_secret_is_hidden_and_counted() -> None:
    asked = trace(1, 1, question="I am jo@example.org", answer="Mail jo@example.org with AKIA" + "IOSFODNN7QRSTUVW")
    made = examples_of([asked], GUARDS)
    assert (made.examples[0].input, made.examples[0].output) == (
        "I am [EMAIL]",
        "Mail [EMAIL] with [SECRET:aws_key_id]",
    )
    assert made.masked == {"email": 2, "aws_key_id": 1}


def test_what_a_guardrail_blocks_and_what_asks_nothing_is_left_out() -> None:
    blocking = [("secrets", guardrails.build("secrets", action="block"))]
    secret = trace(1, 1, question="The key is AKIA" + "IOSFODNN7QRSTUVW")
    made = examples_of([secret, trace(2, 2, question="  "), trace(3, 3, question="Which?")], blocking)
    assert [one.input for one in made.examples] == ["Which?"]
    assert made.left_out == {"blocked by a guardrail": 1, "without a question": 1}


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=20))
def test_every_trace_is_an_example_or_left_out_for_a_reason(said: list[tuple[str, str]]) -> None:
    made = examples_of([trace(n, n, question=q, answer=a) for n, (q, a) in enumerate(said)], GUARDS)
    assert len(made.examples) + sum(made.left_out.values()) == len(said)
    assert len({" ".join(one.input.split()).casefold() for one in made.examples}) == len(made.examples)
