"""What the turns of a conversation say of its answers."""

import pytest

from regista.core.nouns import Feedback
from regista.feedback.derive import derive, is_shown
from regista.feedback.labels import LABELS
from regista.feedback.signals import signals
from regista.feedback.turns import Conversation, Turn, Way

SECOND = 10**9
ANSWER = "Dear all, we train on Monday at six. Please be there in time."


def talk(*turns: Turn, over: bool = False) -> Conversation:
    return Conversation("s", turns, over)


def first(answer: str = ANSWER, **options: object) -> Turn:
    return Turn("1", "Write a mail about training.", answer, 0, SECOND, **options)  # pyright: ignore[reportArgumentType]


def then(question: str, way: Way = "continues", returned: str = "", at: int = 5 * SECOND) -> Turn:
    return Turn("2", question, "Good.", at, SECOND, way=way, after="1", returned=returned)


def found(name: str, conversation: Conversation) -> list[Feedback]:
    return signals.build(name).find(conversation, len(conversation.turns) - 1)


def test_words_are_about_the_answer_before_and_their_evidence_is_in_the_question() -> None:
    (one,) = found("correction", talk(first(), then("No, I meant a letter")))
    (evidence,) = one.evidence
    assert (one.kind, one.source, one.trace, one.session, one.made_ns) == ("signal", "gateway", "1", "s", 5 * SECOND)
    assert (evidence.trace, evidence.of) == ("2", "question")
    assert "No, I meant a letter"[evidence.start : evidence.end] == evidence.text and "meant" in evidence.text


def test_sentiment_has_its_sign_and_a_complaint_the_name_of_its_class() -> None:
    assert [(one.name, one.value) for one in found("sentiment", talk(first(), then("this is useless")))] == [
        ("negative", -1.0)
    ]
    assert [one.name for one in found("complaint", talk(first(), then("That's wrong, it is on Tuesday")))] == ["wrong"]


def test_the_first_words_of_a_conversation_are_about_no_answer() -> None:
    assert derive(talk(Turn("1", "this is useless", "Oh.", 0))) == []


def test_a_stream_the_client_left_was_stopped_with_what_went_out_last() -> None:
    (one,) = found("stopped_early", talk(first("The answer is", status="cancelled")))
    assert (one.trace, one.value, one.evidence[0].text) == ("1", 13.0, "The answer is")
    (waiting,) = found("stopped_early", talk(first("", status="cancelled")))
    assert waiting.confidence < one.confidence and waiting.evidence == ()
    assert found("stopped_early", talk(first())) == []


def test_a_question_sent_again_is_regenerated_unless_it_failed_or_is_old() -> None:
    again = then("Write a mail about training.", "regenerates")
    assert [one.trace for one in found("regenerated", talk(first(), again))] == ["1"]
    assert found("regenerated", talk(first(status="error"), again)) == []
    assert found("regenerated", talk(first(""), again)) == []
    late = then("Write a mail about training.", "regenerates", at=3_600 * SECOND)
    assert found("regenerated", talk(first(), late)) == []


def test_a_question_changed_in_its_place_is_rephrased_if_enough_of_it_is_left() -> None:
    (one,) = found("rephrased", talk(first(), then("Write a letter about training.", "rewords")))
    assert one.trace == "1" and one.value is not None and 0.4 <= one.value < 1
    assert found("rephrased", talk(first(), then("Who won in 1998?", "rewords"))) == []


def test_an_edited_answer_has_the_share_kept_and_the_text_it_became() -> None:
    returned = ANSWER.replace("Monday", "Tuesday")
    (one,) = found("edited", talk(first(), then("Shorter", returned=returned)))
    assert one.value is not None and 0.9 < one.value < 1
    assert one.evidence[0].text == returned
    assert found("edited", talk(first(), then("Shorter", returned="Something else entirely"))) == []
    assert found("edited", talk(first(), then("Shorter", returned=ANSWER[:30]))) == []
    assert found("edited", talk(first(), then("Shorter"))) == []
    (shortened,) = found("edited", talk(first(), then("Shorter", returned=ANSWER[10:])))
    assert shortened.value is not None and 0.8 < shortened.value < 1


@pytest.mark.parametrize(
    "last",
    [
        first(status="error"),
        first("Dear", status="cancelled"),
        first("I'm sorry, but I can't help with that."),
        first(refused=True),
        first("I can do that. For which team?"),
    ],
)
def test_a_conversation_that_ends_without_an_answer_is_abandoned_once_it_is_over(last: Turn) -> None:
    assert [one.trace for one in found("abandoned", talk(last, over=True))] == ["1"]
    assert found("abandoned", talk(last)) == []


@pytest.mark.parametrize("answer", [ANSWER, "Here it is. Is there anything else I can help you with?"])
def test_a_conversation_that_ends_with_an_answer_is_not_abandoned(answer: str) -> None:
    assert found("abandoned", talk(first(answer), over=True)) == []


def test_a_refusal_is_told_by_the_provider_or_in_words() -> None:
    (said,) = found("refusal", talk(first("I’m sorry, but I can’t help with that.")))
    assert said.evidence[0].text == "I can’t help" and said.confidence < 1
    (sealed,) = found("refusal", talk(first("No.", refused=True)))
    assert sealed.confidence == 1
    assert found("refusal", talk(first())) == []


def test_the_length_of_a_conversation_counts_questions_and_is_about_all_of_it() -> None:
    turns = (first(), then("Shorter"), Turn("3", "Shorter", "Ok.", 9 * SECOND, way="regenerates", after="2"))
    (one,) = found("length", talk(*turns, over=True))
    assert (one.value, one.trace, one.session) == (2.0, "", "s")
    assert found("length", talk(*turns)) == []


def test_all_signals_of_a_turn_come_together_and_each_says_whether_it_is_shown() -> None:
    made = derive(talk(first(), then("No, I meant a letter. This is useless")))
    assert {"correction", "negative"} <= {one.name for one in made}
    assert [is_shown(one) for one in made] == [LABELS[one.name].shown for one in made]
    assert is_shown(Feedback("thumb", "user", 0, value=1.0))


def test_nothing_is_found_in_a_plain_conversation() -> None:
    assert derive(talk(first(), then("And now in German, please."))) == []
