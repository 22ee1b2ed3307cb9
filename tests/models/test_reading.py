from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.core.nouns import Hit
from regista.models.reading import Rule, Sentence, Support, choose, read, split

PIECES = (
    "The",
    "winger",
    "runs",
    "wide.",
    "He",
    "must",
    "press!",
    "|",
    "# ",
    "- ",
    "90",
    "1.",
    "“Why?”",
    "\n\n",
    "é\u200b",
)
WORDS = st.sampled_from(PIECES)
TEXTS = st.lists(WORDS | st.text(max_size=5), max_size=40).map(" ".join)


def hit(text: str, document: str = "a.md", start: int = 0, title: str = "", heading: str = "") -> Hit:
    return Hit(document, start, start + len(text), text, 1.0, title, heading)


def quotes(question: str, *hits: Hit, limit: int = 5) -> list[str]:
    chosen, _ = choose(read(question, hits), limit=limit)
    return [sentence.text for sentence in chosen]


@given(TEXTS, st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=4), TEXTS)
def test_every_sentence_is_the_documents_own_text_at_its_offsets(
    text: str, places: list[tuple[int, int]], question: str
) -> None:
    hits = [hit(text[start : start + length], start=start) for start, length in places if start <= len(text)]
    chosen, support = choose(read(question, hits))
    assert all(text[s.start : s.end] == s.text and s.text.strip() for s in [*split(hits), *chosen])
    assert 0 <= support.coverage <= 1 + 1e-9


@given(TEXTS, st.integers(0, 200), st.integers(1, 5))
def test_an_answer_is_short_and_in_the_order_of_its_document(text: str, cut: int, limit: int) -> None:
    chosen, _ = choose(read("What must the winger press?", [hit(text[:cut]), hit(text)]), limit=limit)
    places = [(s.start, s.end) for s in chosen]
    assert len(chosen) <= limit
    assert places == sorted(places)


def test_overlapping_hits_are_quoted_once() -> None:
    text = "The winger stays wide. The full-back overlaps the winger."
    assert quotes("Where does the winger stay?", hit(text), hit(text)) == ["The winger stays wide."]


def test_without_passages_nothing_is_chosen_and_the_rule_refuses() -> None:
    chosen, support = choose(read("What does the winger do?", []))
    assert chosen == []
    assert not Rule().answers(support)


def test_a_question_of_nothing_but_small_words_is_not_answered() -> None:
    _, support = choose(read("What is it?", [hit("It is what it is.")]))
    assert not Rule().answers(support)


def test_a_name_that_no_passage_holds_forbids_an_answer() -> None:
    _, support = choose(read("What is Henderson's role as a winger?", [hit("The role of a winger is width.")]))
    assert support.unknown == ("Henderson's",)
    assert not Rule(coverage=0).answers(support)


def test_a_number_meets_its_word() -> None:
    assert quotes("What does a 6 do?", hit("The six screens the defence. The winger runs.")) == [
        "The six screens the defence."
    ]


@pytest.mark.parametrize("line", ["## The winger presses", "| winger | presses |", "- winger presses", "Who presses?"])
def test_lines_that_state_nothing_are_quoted_only_where_nothing_else_answers(line: str) -> None:
    prose = "The winger of our team presses the opposing full-back at once."
    assert quotes("Whom does the winger press?", hit(f"{line}\n\n{prose}")) == [prose]
    assert quotes("Whom does the winger press?", hit(f"{line}\n\nTea is served at noon.")) != []


def test_a_heading_counts_for_the_sentences_below_it() -> None:
    below = hit("Both teams wait outside the circle.", heading="Kick-off")
    other = hit("Both teams wait outside the penalty area.", "b.md", heading="Penalty")
    assert quotes("Where do teams wait at kick-off?", other, below, limit=1) == [below.text]


def test_a_comparison_quotes_what_sets_the_first_subject_beside_the_second() -> None:
    winger = hit("The winger runs. The winger runs wide, whereas the striker stays.", "w.md", title="Winger")
    striker = hit("The striker runs. The striker runs deep; the winger waits.", "s.md", title="Striker")
    answer = quotes("How does the winger run unlike the striker?", striker, winger, limit=2)
    assert answer[0] == "The winger runs wide, whereas the striker stays."


def test_a_repeated_statement_makes_room_for_another() -> None:
    again = [hit("The winger presses the full-back early.", f"{name}.md") for name in "abc"]
    other = hit("The winger presses the full-back when a pass is slow.", "d.md")
    assert other.text in quotes("When does the winger press the full-back?", *again, other, limit=2)


def test_likeness_of_meaning_outweighs_a_missing_word() -> None:
    reading = read("Who guards the net?", [hit("The keeper stops shots. A net has holes.")])
    likeness = {"The keeper stops shots.": 0.9, "A net has holes.": 0.1}
    chosen, support = choose(reading, [likeness[s.text] for s in reading.candidates])
    assert [sentence.text for sentence in chosen] == ["The keeper stops shots."]
    assert support.similarity == 0.9


def test_the_rule_asks_for_words_or_for_words_and_meaning_together() -> None:
    rule = Rule(coverage=0.5, combined=1.5)
    words = Support(0.5, None, ())
    assert rule.answers(words)
    assert not rule.answers(replace(words, coverage=0.4))
    assert rule.answers(Support(0.1, 0.7, ()))
    assert not rule.answers(Support(0.5, 0.4, ()))


def test_a_sentence_knows_which_hit_it_came_from() -> None:
    found: list[Sentence] = split([hit("One came."), hit("Two came.", "b.md", 40)])
    assert [(s.hit, s.document, s.start) for s in found] == [(0, "a.md", 0), (1, "b.md", 40)]


def test_a_heading_inside_a_passage_counts_for_what_follows_it() -> None:
    passage = hit("## Penalty\n\nBoth teams wait outside the area.\n\n## Kick-off\n\nBoth teams wait in their halves.")
    assert quotes("Where do teams wait at kick-off?", passage, limit=1) == ["Both teams wait in their halves."]
