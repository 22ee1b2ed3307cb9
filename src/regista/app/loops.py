"""Loops among things that name each other: which would call each other for ever. It knows no models."""

from collections.abc import Iterator, Mapping, Sequence


def loops(graph: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Every way that leads back to where it began, once each, from its first name in the graph's order on.

    Of loops that share names those are told that a search in depth meets; without them there is none left.

    >>> loops({"a": ["b"], "b": ["c", "a"], "c": ["c"]})
    [['a', 'b', 'a'], ['c', 'c']]
    """
    order = {name: position for position, name in enumerate(graph)}
    found: dict[tuple[str, ...], None] = {}
    done: set[str] = set()
    for start in graph:
        way: dict[str, Iterator[str]] = {} if start in done else {start: iter(graph[start])}
        while way:
            last = next(reversed(way))
            other = next(way[last], None)
            if other is None:
                done.add(last)
                del way[last]
            elif other in way:
                loop = list(way)[list(way).index(other) :]
                first = loop.index(min(loop, key=lambda name: order[name]))
                found[*loop[first:], *loop[:first]] = None
            elif other in order and other not in done:
                way[other] = iter(graph[other])
    return sorted(([*loop, loop[0]] for loop in found), key=lambda loop: order[loop[0]])
