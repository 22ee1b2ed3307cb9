"""Nearest neighbours that come and go, against the same done plainly."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from regista.serve.caches.shelf import Shelf

DIMENSIONS = 8


def vector(seed: int) -> Any:
    drawn = np.random.default_rng(seed).standard_normal(DIMENSIONS).astype(np.float32)
    return drawn / np.linalg.norm(drawn)


@given(st.lists(st.tuples(st.sampled_from(["put", "drop"]), st.integers(0, 40), st.integers(0, 5))), st.integers(0, 99))
def test_the_nearest_are_those_of_a_plain_search_whatever_came_and_went(
    changes: list[tuple[str, int, int]], asked: int
) -> None:
    shelf, plain = Shelf[str](DIMENSIONS), dict[int, tuple[Any, str]]()
    for change, key, version in changes:
        name = key.to_bytes(2, "big")
        if change == "put":
            shelf.put(name, vector(key * 10 + version), f"{key}.{version}")
            plain[key] = (vector(key * 10 + version), f"{key}.{version}")
        else:
            shelf.drop(name)
            plain.pop(key, None)
    best = sorted(((float(row @ vector(asked)), thing) for row, thing in plain.values()), reverse=True)[:5]
    found = shelf.nearest(vector(asked), 5)
    assert len(shelf) == len(plain)
    assert [thing for _, thing in found] == [thing for _, thing in best]
    assert np.allclose([cosine for cosine, _ in found], [cosine for cosine, _ in best], atol=1e-6)
