"""Loops among things that name each other are found, whatever names whom."""

from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from regista.app.loops import loops

NAMES = st.sampled_from("abcdef")


@given(st.dictionaries(NAMES, st.lists(NAMES, max_size=4), max_size=6))
def test_one_is_told_exactly_where_there_is_one_and_each_is_one(graph: dict[str, list[str]]) -> None:
    known = {name: [other for other in others if other in graph] for name, others in graph.items()}
    found = loops(graph)
    try:
        tuple(TopologicalSorter(known).static_order())
    except CycleError:
        assert found
    else:
        assert not found
    for loop in found:
        assert loop[0] == loop[-1]
        assert all(other in graph[name] for name, other in pairwise(loop))
        assert len(set(loop)) == len(loop) - 1
    assert len({tuple(loop) for loop in found}) == len(found)


def test_a_long_way_is_no_difficulty() -> None:
    names = [str(n) for n in range(20_000)]
    graph = {name: [other] for name, other in zip(names, [*names[1:], "0"], strict=True)}
    assert len(loops(graph)[0]) == 20_001
