"""How far a text was edited, against the table that textbooks draw."""

from hypothesis import given
from hypothesis import strategies as st

from regista.feedback.edits import common, distance, edit

WORDS = st.lists(st.sampled_from("abcd"), max_size=12)


def table(ours: list[str], theirs: list[str]) -> tuple[int, int]:
    """Levenshtein's distance and the longest common subsequence, cell by cell."""
    edits = [list(range(len(theirs) + 1))]
    shared = [[0] * (len(theirs) + 1)]
    for at, word in enumerate(ours, 1):
        edits.append([at])
        shared.append([0])
        for to, other in enumerate(theirs, 1):
            edits[at].append(min(edits[at - 1][to] + 1, edits[at][to - 1] + 1, edits[at - 1][to - 1] + (word != other)))
            both = shared[at - 1][to - 1] + 1 if word == other else 0
            shared[at].append(max(both, shared[at - 1][to], shared[at][to - 1]))
    return edits[-1][-1], shared[-1][-1]


@given(WORDS, WORDS)
def test_bits_count_what_the_table_counts(ours: list[str], theirs: list[str]) -> None:
    assert (distance(ours, theirs), common(ours, theirs)) == table(ours, theirs)


@given(st.text(max_size=200), st.text(max_size=200))
def test_the_share_kept_is_a_share_and_the_distance_the_same_both_ways(one: str, other: str) -> None:
    there, back = edit(one, other), edit(other, one)
    assert 0 <= there.kept <= 1 and there.distance == back.distance
    assert edit(one, one).distance == 0 and edit(one, one).kept == 1


def test_long_texts_are_compared_as_far_as_is_said() -> None:
    assert edit("a " * 6_000, "a " * 5_000 + "b " * 1_000).distance == 0
