"""Beginnings of conversations: what is warm where, and for how long."""

from hypothesis import given
from hypothesis import strategies as st

from regista.core.nouns import Message
from regista.serve.routing.prefixes import COLD, LINKS, Caching, Prefixes, cachings, chain_of

CACHING = Caching(300, 100, 10)
MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(["system", "user", "assistant"]), st.text(max_size=30)), min_size=1, max_size=8
)


def talk(*texts: str) -> tuple[Message, ...]:
    return tuple(Message("user", text) for text in texts)


def test_a_later_turn_has_the_earlier_ones_chain_as_its_beginning() -> None:
    short, long = chain_of(talk("a", "b")), chain_of(talk("a", "b", "c"))
    assert long[: len(short)] == short


@given(MESSAGES, MESSAGES)
def test_two_conversations_share_a_link_only_where_all_before_it_is_the_same(
    first: list[Message], second: list[Message]
) -> None:
    shared = {link.hash for link in chain_of(first)} & {link.hash for link in chain_of(second)}
    alike = 0
    while alike < min(len(first), len(second)) and first[alike] == second[alike]:
        alike += 1
    assert len(shared) == alike


def test_what_divides_two_messages_is_hashed_too() -> None:
    assert chain_of(talk("ab", "c"))[-1].hash != chain_of(talk("a", "bc"))[-1].hash


def test_only_the_last_links_are_kept_and_they_name_the_whole_beginning() -> None:
    texts = [str(n) for n in range(LINKS + 5)]
    chain = chain_of(talk(*texts))
    assert len(chain) == LINKS
    assert chain[-1].hash != chain_of(talk(*texts[5:]))[-1].hash


def test_a_beginning_is_warm_where_it_was_read_and_nowhere_else() -> None:
    prefixes = Prefixes()
    prefixes.add("small", chain_of(talk("x" * 400)))
    longer = chain_of(talk("x" * 400, "more"))
    assert prefixes.warm("small", longer, CACHING).tokens == 100
    assert prefixes.warm("large", longer, CACHING) == COLD


def test_a_beginning_goes_cold_after_its_time_and_use_keeps_it_warm() -> None:
    now = 0.0
    prefixes, chain = Prefixes(lambda: now), chain_of(talk("x" * 400))
    prefixes.add("small", chain)
    now = 299.0
    assert prefixes.warm("small", chain, CACHING).tokens
    prefixes.add("small", chain)
    now = 598.0
    assert prefixes.warm("small", chain, CACHING).tokens
    now = 600.0
    assert prefixes.warm("small", chain, CACHING) == COLD


def test_what_is_shorter_than_a_provider_keeps_is_not_warm_and_is_still_this_conversation() -> None:
    prefixes, chain = Prefixes(), chain_of(talk("short"))
    prefixes.add("small", chain)
    found = prefixes.warm("small", chain, CACHING)
    assert found.tokens == 0 and found.spoken


def test_a_system_message_alone_is_nobodys_conversation() -> None:
    prefixes = Prefixes()
    system = Message("system", "x" * 400)
    prefixes.add("small", chain_of((system, *talk("one"))))
    found = prefixes.warm("small", chain_of((system, *talk("two"))), CACHING)
    assert found.tokens == 100 and not found.spoken


def test_the_beginnings_kept_are_bounded_and_the_oldest_goes_first() -> None:
    prefixes = Prefixes(kept=2)
    first, *others = [chain_of(talk(text * 400)) for text in "abc"]
    for chain in (first, *others):
        prefixes.add("small", chain)
    assert prefixes.warm("small", first, CACHING) == COLD
    assert all(prefixes.warm("small", chain, CACHING).tokens for chain in others)


def test_every_provider_of_the_table_has_its_source_and_there_is_a_default() -> None:
    table = dict(cachings())
    del table["default"]
    assert all(row.source.startswith("https://") and row.ttl_s > 0 and row.least > 0 for row in table.values())
