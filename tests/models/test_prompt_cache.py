"""What a prompt cache can find again: learned from texts that begin alike."""

from hypothesis import given
from hypothesis import strategies as st

from regista.core.nouns import Json, Message, Request, Tool
from regista.models.prompt_cache import KNOWN_BY, REMEMBERED, Heads, key_of, place

RULES = "Say what the passages say, and no more.\n" * 20
LINES = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=8), max_size=6)


def test_a_text_that_never_changes_stays_whole() -> None:
    heads = Heads()
    assert [heads.stable(RULES) for _ in range(3)] == [len(RULES)] * 3


def test_a_head_ends_with_a_line_and_never_grows_again() -> None:
    heads = Heads()
    assert heads.stable(RULES + "[1] Oslo is in Norway.\n") > len(RULES)
    assert heads.stable(RULES + "[1] Oslo is a city.\n") == len(RULES)
    assert heads.stable(RULES + "[1] Oslo is a city.\n") == len(RULES)


@given(st.lists(LINES, min_size=2, max_size=6))
def test_a_head_stands_at_the_head_of_every_text_like_it(tails: list[list[str]]) -> None:
    heads, texts = Heads(), [RULES + "\n".join(lines) for lines in tails]
    lengths = [heads.stable(text) for text in texts]
    head = texts[-1][: lengths[-1]]
    assert all(text.startswith(head) for text in texts)
    assert len(head) >= len(RULES)
    assert lengths[1:] == sorted(lengths[1:], reverse=True)


def test_texts_that_begin_unlike_are_learned_apart() -> None:
    heads = Heads()
    one, other = "A" * KNOWN_BY + RULES, "B" * KNOWN_BY + RULES
    assert [heads.stable(text) for text in (one, other, one)] == [len(one), len(other), len(one)]


def test_what_is_remembered_is_bounded() -> None:
    heads = Heads()
    changing = [f"{n:0{KNOWN_BY}}\n" + RULES for n in range(REMEMBERED + 1)]
    for text in changing:
        heads.stable(text + "end")
    assert heads.stable(changing[0] + "other end") == len(changing[0] + "other end")
    assert heads.stable(changing[-1] + "other end") == len(changing[-1])


def test_nothing_behind_a_change_is_marked() -> None:
    heads, marks = Heads(), list[tuple[int, int]]()

    def mark(blocks: list[Json], index: int) -> None:
        marks.append((len(blocks), index))

    for passage in ("one", "two"):
        marks.clear()
        system: list[Json] = [{"text": RULES}, {"text": passage}]
        turns: list[Json] = [{"role": "user", "content": [{"document": {}}]}, {"role": "assistant", "content": [{}]}]
        place(heads, [], system, turns, mark, lambda block: "document" in block)
    assert marks == [(2, 0)]


def test_requests_with_the_same_beginning_have_one_key() -> None:
    def key(system: str, question: str, *tools: Tool) -> str:
        return key_of(Request("m", (Message("system", system), Message("user", question)), tools=tools))

    assert key("Be brief.", "Why?") == key("Be brief.", "How?")
    assert len({key("Be brief.", "Why?"), key("Be long.", "Why?"), key("Be brief.", "Why?", Tool("t", "", {}))}) == 3
