"""What the club's football code costs, and whether its intervals and reliabilities keep their word.

    python benchmarks/club/measure.py [ARCHIVE]

With the season's archive it also times the import. The tables are built in a temporary folder.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "apps"))

from club import commands, tools  # noqa: E402 - the line above makes it importable
from club.football import intervals, profile, reliability, tables  # noqa: E402
from club.football.metrics import COLUMNS, METRICS, Metric  # noqa: E402
from club.football.roles import OUTFIELD  # noqa: E402

DRAWS = 20
SIZES = (4, 8, 16)


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one run."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def coverage(seasons: list[list[dict[str, int]]], metric: Metric, matches: int) -> float:
    """How often the 95 % interval from some matches holds the player's figure.

    The world is each player's matches in a role: samples are drawn from them with replacement, and the
    figure to be held is that of all of them.
    """
    rng = np.random.default_rng(1)
    hits = total = 0
    for rows in seasons:
        top, below = (np.array([row[c] for row in rows], float) for c in (metric.numerator, metric.denominator))
        if not below.sum():
            continue
        truth = top.sum() / below.sum()
        for _ in range(DRAWS):
            drawn = rng.integers(0, len(rows), matches)
            found = intervals.ratio(top[drawn].tolist(), below[drawn].tolist(), share=metric.share)
            if found.low is not None and found.high is not None:
                hits += found.low - 1e-12 <= truth <= found.high + 1e-12
                total += 1
    return hits / total


def main(archive: Path | None) -> None:
    """Print all figures."""
    with tempfile.TemporaryDirectory() as folder:
        tables.DATABASE = Path(folder) / "club.db"
        if archive:
            print(f"import            {seconds(lambda: commands.import_matches(archive)):8.2f} s")
        print(f"build             {seconds(lambda: commands.build(again=True)):8.2f} s")
        print(f"build, up to date {seconds(commands.build) * 1000:8.2f} ms")
        asked = seconds(lambda: tools.compare_in_role("G. Wijnaldum", "deep-lying midfielder"))
        print(f"compare_in_role   {asked * 1000:8.2f} ms")
        print(f"shipped           {sum(f.stat().st_size for f in tables.DATA.glob('*.gz')) / 1000:8.0f} kB")
        with closing(tables.connect(tables.DATABASE)) as database:
            _table(database)


def _table(database: tables.sqlite3.Connection) -> None:
    regulars = [(role, regular) for role in OUTFIELD for regular in profile.regulars(database, role)]
    people = {player.id: player for player in tools.players.everyone(database)}
    seasons = [profile.matches(database, people[r.id], role) for role, r in regulars if r.matches >= 20]
    print(f"\n{len(seasons)} players with at least 20 matches in a role; matches needed at the median regular's rate")
    heads = (f"covers, n={size}" for size in SIZES)
    print(f"{'metric':24}{'needs':>7}{'foretold':>10}{'halves':>8}", *(f"{head:>13}" for head in heads))
    for metric in METRICS:
        assert {metric.numerator, metric.denominator} <= set(COLUMNS)
        rate = float(np.median([r.sums[metric.denominator] / r.matches for _, r in regulars]))
        needs = reliability.of(database, metric).needed(rate)
        foretold, found = reliability.halves(database, metric) or (float("nan"), float("nan"))
        covers = (f"{coverage(seasons, metric, size):13.3f}" for size in SIZES)
        print(f"{metric.name:24}{needs:7}{foretold:10.2f}{found:8.2f}", *covers)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
