"""Measures the hits and false hits of the semantic cache on labelled pairs of questions, threshold by threshold.

    python -m benchmarks.cache.bench [--json] [--svg curve.svg] [--vectors questions.npz]

A cache holds the first question of every pair, and each second question is asked: a hit is right where it is served
the answer of its own pair and the pair says the same. **The pairs are hard**: half of them and more differ in one
number, name or word that changes the answer; in traffic most questions have no such neighbour, so expect fewer false
hits there. The rules' tables were written with the even groups in view; the odd ones are held out. `--vectors` writes
what `gptcache_peer.py` needs. Needs the prepared embedding model.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.cache.data import Pair, pairs
from regista.models.embeddings import embedders
from regista.serve.caches.calibration import Labelled, choose
from regista.serve.caches.reading import Reading, read
from regista.serve.caches.semantic import NEIGHBOURS, liken
from regista.stats import wilson

BOUNDS = (0.01, 0.05, 0.1)


class Asked(NamedTuple):
    """A pair as the cache met it: the likeness of the best kept question, and whether its answer would be right."""

    pair: Pair
    likeness: float
    right: bool


class Questions:
    """All questions of some pairs with their vectors and readings."""

    def __init__(self, some: Sequence[Pair]) -> None:
        self.pairs = some
        self.firsts = list(dict.fromkeys(pair.first for pair in some))
        self.texts: list[str] = list(dict.fromkeys([*self.firsts, *(pair.second for pair in some)]))
        vectors: list[Any] = list(embedders.build("minilm").embed(self.texts))
        self.vectors: dict[str, Any] = dict(zip(self.texts, vectors, strict=True))
        self.readings: dict[str, Reading | None] = {text: read(text) for text in self.texts}
        self._kept = np.stack([self.vectors[text] for text in self.firsts])

    def by_vectors(self) -> list[Asked]:
        """What vectors alone would serve."""
        found: list[Asked] = []
        for pair in self.pairs:
            cosines = self._kept @ self.vectors[pair.second]
            best = int(cosines.argmax())
            found.append(Asked(pair, float(cosines[best]), pair.same and self.firsts[best] == pair.first))
        return found

    def by_rules_too(self) -> list[Asked]:
        """What the semantic cache would serve: as `SemanticCache.look` does."""
        found: list[Asked] = []
        for pair in self.pairs:
            cosines = self._kept @ self.vectors[pair.second]
            asked, best, text = self.readings[pair.second], 0.0, ""
            nearest: list[int] = np.argsort(-cosines)[:NEIGHBOURS].tolist()
            for place in nearest:
                kept = self.readings[self.firsts[place]]
                if asked is None or kept is None:
                    continue
                likeness, objection = liken(float(cosines[place]), asked, kept)
                if not objection and likeness > best:
                    best, text = likeness, self.firsts[place]
            found.append(Asked(pair, best, pair.same and text == pair.first))
        return found


def curve(asked: Sequence[Asked]) -> list[dict[str, float]]:
    """Hits and false hits at every threshold, the highest first. `hit_rate` is of the pairs that say the same."""
    same = sum(each.pair.same for each in asked)
    rows: list[dict[str, float]] = []
    for threshold in np.arange(0.99, 0.595, -0.01):
        hits = [each for each in asked if each.likeness >= threshold]
        right = sum(each.right for each in hits)
        rows.append(
            {
                "threshold": round(float(threshold), 2),
                "hits": len(hits),
                "right": right,
                "false": len(hits) - right,
                "hit_rate": right / same,
                "false_hits": (len(hits) - right) / len(hits) if hits else 0.0,
            }
        )
    return rows


def within(rows: Sequence[dict[str, float]], bound: float) -> dict[str, float] | None:
    """The row with the most right hits whose share of false hits is within the bound."""
    fit = [row for row in rows if row["false_hits"] <= bound and row["hits"]]
    return max(fit, key=lambda row: row["right"], default=None)


def labelled(asked: Sequence[Asked]) -> list[Labelled]:
    return [Labelled(each.likeness, each.right, each.pair.group) for each in asked if each.likeness > 0]


def report() -> dict[str, Any]:
    every = pairs()
    halves = {
        name: Questions([p for p in every if p.group % 2 == odd]) for odd, name in enumerate(("seen", "held out"))
    }
    found: dict[str, Any] = {"pairs": len(every), "same": sum(pair.same for pair in every)}
    for name, questions in halves.items():
        ways = {"vectors alone": questions.by_vectors(), "with rules": questions.by_rules_too()}
        found[name] = {way: {"curve": curve(asked)} for way, asked in ways.items()}
        for way, asked in ways.items():
            found[name][way]["within"] = {str(bound): within(found[name][way]["curve"], bound) for bound in BOUNDS}
            found[name][way]["asked"] = len(asked)
    seen, held = halves["seen"].by_rules_too(), curve(halves["held out"].by_rules_too())
    found["calibrated on seen"] = {}
    for bound in BOUNDS:
        choice = choose(labelled(seen), bound)
        row = next((row for row in held if row["threshold"] == choice.threshold), None)
        found["calibrated on seen"][str(bound)] = {
            "threshold": choice.threshold,
            "missing": choice.missing,
            "held out": row,
        }
    found["cost"] = cost(halves["held out"])
    return found


def cost(questions: Questions) -> dict[str, float]:
    """CPU microseconds of taking a question apart, and of laying two side by side."""
    texts, begun = questions.texts, time.process_time()
    for text in texts:
        read(text)
    apart = (time.process_time() - begun) / len(texts) * 1e6
    both = [(questions.readings[p.first], questions.readings[p.second]) for p in questions.pairs]
    known = [(one, other) for one, other in both if one is not None and other is not None]
    begun = time.process_time()
    for one, other in known:
        liken(0.9, one, other)
    return {"read_us": round(apart, 1), "compare_us": round((time.process_time() - begun) / len(known) * 1e6, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--svg", type=Path, help="write the curves of the held-out half here")
    parser.add_argument("--vectors", type=Path, help="write the held-out questions with their vectors here")
    arguments = parser.parse_args()
    if arguments.vectors:
        questions = Questions([pair for pair in pairs() if pair.group % 2])
        rows = [(pair.first, pair.second, str(int(pair.same))) for pair in questions.pairs]
        matrix = np.stack([questions.vectors[text] for text in questions.texts])
        np.savez(arguments.vectors, texts=np.array(questions.texts), vectors=matrix, pairs=np.array(rows))
        return
    found = report()
    if arguments.svg:
        arguments.svg.write_text(drawing(found["held out"]), "utf-8")
    print(json.dumps(found, indent=1) if arguments.json else shown(found))


def shown(found: dict[str, Any]) -> str:
    lines = [f"{found['pairs']} pairs, {found['same']} of them say the same"]
    for name in ("seen", "held out"):
        for way, measured in found[name].items():
            for bound, row in measured["within"].items():
                said = "none"
                if row is not None:
                    _, high, *_ = wilson(row["false"], row["hits"])
                    said = (
                        f"{row['right']} right hits ({row['hit_rate']:.0%} of the same), {row['false']} false "
                        f"({row['false_hits']:.1%}, at most {high:.1%}) from {row['threshold']:.2f} on"
                    )
                lines.append(f"{name:9} {way:14} at most {float(bound):.0%} false: {said}")
    for bound, row in found["calibrated on seen"].items():
        lines.append(f"calibrated on the seen half for {float(bound):.0%}: {row}")
    lines.append(f"cost: {found['cost']}")
    return "\n".join(lines)


def drawing(measured: dict[str, Any]) -> str:
    """Hit rate over the share of false hits, as SVG."""
    wide, high, pad = 640, 400, 56
    colours = {"vectors alone": "#b35900", "with rules": "#0b5fa5"}

    def at(row: dict[str, float]) -> str:
        x = pad + row["false_hits"] * (wide - 2 * pad)
        return f"{x:.1f},{high - pad - row['hit_rate'] * (high - 2 * pad):.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif" font-size="13">',
        f'<path d="M{pad},{pad}V{high - pad}H{wide - pad}" fill="none" stroke="#444"/>',
        f'<text x="{wide / 2}" y="{high - 14}" text-anchor="middle">share of hits that are false</text>',
        f'<text x="16" y="{high / 2}" text-anchor="middle" transform="rotate(-90 16 {high / 2})">',
        "paraphrases served</text>",
    ]
    for tick in (0, 0.25, 0.5, 0.75, 1):
        x, y = pad + tick * (wide - 2 * pad), high - pad - tick * (high - 2 * pad)
        parts.append(f'<text x="{x}" y="{high - pad + 18}" text-anchor="middle">{tick:.0%}</text>')
        parts.append(f'<text x="{pad - 8}" y="{y + 4}" text-anchor="end">{tick:.0%}</text>')
    for line, (way, rows) in enumerate(measured.items()):
        points = " ".join(at(row) for row in rows["curve"] if row["hits"])
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colours[way]}" stroke-width="2"/>')
        parts.append(
            f'<text x="{wide - pad}" y="{pad + 18 * line}" text-anchor="end" fill="{colours[way]}">{way}</text>'
        )
    return "\n".join([*parts, "</svg>\n"])


if __name__ == "__main__":
    main()
