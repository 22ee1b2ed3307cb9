"""Which requests belong to one conversation, told from the history they carry."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from regista.core.nouns import Message
from regista.feedback.conversation import history, keys, link
from regista.feedback.threads import IDLE_NS, Exchanged, threads
from regista.feedback.turns import Conversation, Turn

LONG = "The under-fifteens train on Mondays and Wednesdays at six, on the second pitch behind the hall."
WORDS = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12), min_size=1, max_size=5)


def user(text: str) -> Message:
    return Message("user", text)


def assistant(text: str) -> Message:
    return Message("assistant", text)


def sent(trace: str, *messages: Message, answer: str = "", at: int = 0, scope: str = "club") -> Exchanged:
    return Exchanged(Turn(trace, messages[-1].text, answer, at, 10), messages, scope)


def only(exchanged: list[Exchanged]) -> Conversation:
    made = threads(exchanged, now_ns=0)
    assert len(made) == 1, made
    return made[0]


def test_a_request_that_repeats_a_question_and_its_answer_goes_on_from_there() -> None:
    first = sent("1", user("When?"), answer="At six.", at=1)
    second = sent("2", user("When?"), assistant("At six."), user("Where?"), answer="Here.", at=2)
    made = only([first, second])
    assert [(turn.way, turn.after) for turn in made.turns] == [("begins", ""), ("continues", "1")]
    assert made.before(1) is not None and made.before(0) is None


def test_spacing_and_a_system_prompt_that_changes_make_no_difference() -> None:
    first = sent("1", Message("system", "It is Monday."), user("When  do\nwe train?"), answer="At six. ", at=1)
    second = sent(
        "2",
        Message("developer", "It is Tuesday."),
        user("When do we train?"),
        assistant("At  six."),
        user("Why?"),
        at=2,
    )
    assert [turn.way for turn in only([first, second]).turns] == ["begins", "continues"]


def test_the_same_history_sent_again_asks_for_another_answer() -> None:
    asked = (user("When?"), assistant("At six."), user("Where?"))
    made = only(
        [
            sent("1", user("When?"), answer="At six.", at=1),
            sent("2", *asked, answer="Here.", at=2),
            sent("3", *asked, answer="There.", at=3),
        ]
    )
    assert (made.turns[2].way, made.turns[2].after) == ("regenerates", "2")


def test_another_last_question_after_the_same_answer_is_the_last_one_changed() -> None:
    before = (user("When?"), assistant("At six."))
    made = only(
        [
            sent("1", user("When?"), answer="At six.", at=1),
            sent("2", *before, user("Where?"), answer="Here.", at=2),
            sent("3", *before, user("Where exactly?"), answer="Pitch two.", at=3),
        ]
    )
    assert (made.turns[2].way, made.turns[2].after) == ("rewords", "2")


def test_an_answer_that_comes_back_changed_is_kept_as_it_came_back() -> None:
    first = sent("1", user("Write it"), answer="Dear all, come at six.", at=1)
    second = sent("2", user("Write it"), assistant("Dear all, come at seven."), user("Shorter"), at=2)
    turn = only([first, second]).turns[1]
    assert (turn.way, turn.after, turn.returned) == ("continues", "1", "Dear all, come at seven.")


def test_a_history_cut_off_at_its_beginning_is_known_by_a_long_last_answer_and_is_less_sure() -> None:
    stored: dict[bytes, str] = {}
    whole = history([user("Hello"), assistant("Hi"), user("When do they train?")], "club")
    stored |= dict.fromkeys(keys(whole, LONG), "2")
    cut = history([user("When do they train?"), assistant(LONG), user("Where?")], "club")
    found = link(cut, lambda digest: stored.get(digest, ""))
    assert (found.way, found.trace, found.sure) == ("continues", "2", False)


def test_a_short_exchange_alone_tells_no_conversation() -> None:
    stored = dict.fromkeys(keys(history([user("Start"), assistant("Go"), user("Hi")], "club"), "Hello!"), "2")
    cut = history([user("Hi"), assistant("Hello!"), user("Where?")], "club")
    assert link(cut, lambda digest: stored.get(digest, "")).way == "begins"


def test_examples_sent_before_every_question_make_no_conversation_of_strangers_questions() -> None:
    examples = (user("2 + 2"), assistant("4"))
    made = threads([sent(str(n), *examples, user(f"{n} + 1"), answer=str(n + 1), at=n) for n in range(5)], now_ns=0)
    assert [len(one.turns) for one in made] == [1] * 5


def test_people_of_another_scope_are_never_joined() -> None:
    first = sent("1", user("When?"), answer=LONG, at=1, scope="anna")
    second = sent("2", user("When?"), assistant(LONG), user("Where?"), at=2, scope="ben")
    assert len(threads([first, second], now_ns=0)) == 2


def test_what_tools_said_goes_on_with_the_turn_that_called_them() -> None:
    call = {"tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}
    called = Exchanged(Turn("1", "How warm is it?", "", 1, 10), (user("How warm is it?"),), "club", ("c1",))
    messages = (
        user("How warm is it?"),
        Message("assistant", None, call),
        Message("tool", "21", {"tool_call_id": "c1"}),
    )
    answered = Exchanged(Turn("2", "How warm is it?", "21 degrees.", 20, 10), messages, "club")
    after = sent("3", *messages, assistant("21 degrees."), user("And now?"), at=40)
    made = only([called, answered, after])
    assert [(turn.question, turn.answer) for turn in made.turns] == [
        ("How warm is it?", "21 degrees."),
        ("And now?", ""),
    ]
    assert (made.turns[0].started_ns, made.turns[0].ended_ns) == (1, 30)
    assert made.before(1) == made.turns[0]


def test_two_pictures_are_two_questions() -> None:
    def shown(url: str) -> Message:
        return Message(
            "user", [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
        )

    made = threads([sent("1", shown("a"), answer="A cat.", at=1), sent("2", shown("b"), at=2)], now_ns=0)
    assert len(made) == 2


def test_a_conversation_is_over_when_nobody_went_on_with_it_for_half_an_hour() -> None:
    asked = sent("1", user("When?"), at=0)
    assert [threads([asked], now_ns=IDLE_NS + extra)[0].over for extra in (0, 11)] == [False, True]


def test_a_lone_surrogate_in_a_text_is_a_text_like_any_other() -> None:
    made = history([user("a\ud800"), assistant("b\udfff"), user("c")], "s")
    assert len(set(made.heads)) == len(made.heads) == 4


@given(WORDS, WORDS, st.randoms())
def test_every_turn_of_any_talk_is_linked_to_the_one_before_whatever_the_order_of_arrival(
    questions: list[str], answers: list[str], chance: object
) -> None:
    said: list[Message] = []
    exchanged: list[Exchanged] = []
    for at, (question, answer) in enumerate(zip(questions, answers, strict=False)):
        said.append(user(f"{at} {question}"))
        exchanged.append(sent(str(at), *said, answer=answer, at=at))
        said.append(assistant(answer))
    getattr(chance, "shuffle")(exchanged)  # noqa: B009 - Hypothesis gives its own Random
    turns = only(exchanged).turns
    assert turns[0].way == "begins"
    assert all(turn.way == "continues" and turn.after == before.trace for before, turn in pairwise(turns))
    assert not any(turn.returned for turn in turns)
