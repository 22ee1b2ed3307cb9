"""Expected threat: how likely the team with the ball in a cell is to score before it loses it.

A 12 × 8 grid after K. Singh, "Introducing Expected Threat" (2018): from a cell a team shoots or
moves; a move that fails is worth nothing. Moves here are open-play passes and carries that the
events record, so dribbles without a recorded end and set pieces add nothing.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

COLUMNS, ROWS = 12, 8
CELLS = COLUMNS * ROWS
UNIT = 100_000
"""Cell values are stored as whole numbers of this fraction of a goal, so that they are the same everywhere."""


def cell(x: float, y: float) -> int:
    """The number of the cell that holds a place (percent): column by column from the own goal.

    >>> cell(0, 0), cell(100, 100), cell(50, 50)
    (0, 95, 52)
    """
    return min(int(x / 100 * COLUMNS), COLUMNS - 1) * ROWS + min(int(y / 100 * ROWS), ROWS - 1)


def fit(
    moves: Iterable[tuple[int, int, int]], attempts: Iterable[int], shots: Iterable[tuple[int, bool]]
) -> NDArray[np.int64]:
    """The value of every cell in `1 / UNIT` goals, from a league's moves (player, start, end), attempts and shots."""
    passed = np.zeros((CELLS, CELLS))
    for _, start, end in moves:
        passed[start, end] += 1
    tried = np.bincount(np.fromiter(attempts, int), minlength=CELLS).astype(float)
    shot, scored = np.zeros(CELLS), np.zeros(CELLS)
    for place, goal in shots:
        shot[place] += 1
        scored[place] += goal
    actions = np.maximum(tried + shot, 1)
    values = np.zeros(CELLS)
    while True:
        better = (scored + passed @ values) / actions
        if np.max(np.abs(better - values)) < 0.01 / UNIT:
            return np.round(better * UNIT).astype(np.int64)
        values = better


def gains(moves: Iterable[tuple[int, int, int]], values: NDArray[np.int64]) -> dict[int, int]:
    """Threat each player's completed moves added, in thousandths of a goal; moves to a lesser place add nothing."""
    gained: dict[int, int] = {}
    for player, start, end in moves:
        gained[player] = gained.get(player, 0) + max(int(values[end] - values[start]), 0)
    return {player: round(amount * 1000 / UNIT) for player, amount in gained.items()}
