"""Measures what is told from users' words, and trains the head that helps the rules.

    python -m benchmarks.feedback.signals [--write] [--json]

The turns are of four authors, language models that were given the labels and wrote each turn by hand; one of them
wrote the rules too. `data/development.jsonl` is that one's: 2,120 turns after 72 answers, the rules written with it in
view. `data/others.jsonl` is two others' (1,339 turns after 106 answers), who knew no rule; the head is trained on both,
and its thresholds are set by the others' turns alone, out of fold. `data/unseen.jsonl` is the fourth's: 635 turns after
52 answers, which nobody who changed anything has read and nothing was chosen by. It decides what is shown.
`data/held-out.jsonl` are 464 more of the first author: what they flatter shows beside it. Those were labelled a second
time, in an order by chance and without the labels (`data/held-out-again.json`). All of it is English, and no turn is of
a real user. Refusals are those of 62 answers in each of the first author's files. `--write` trains the head and puts it
in its place in the package; that needs scikit-learn.
"""

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.feedback.data import HERE, Turn, answers, turns
from regista.feedback import features, head, words
from regista.feedback.labels import LABELS
from regista.stats import wilson
from regista.text.refusals import declines

FILES = ("unseen", "held-out")


def rates(told: list[set[str]], meant: list[frozenset[str]]) -> dict[str, Any]:
    """Precision and recall of each label, with Wilson's intervals."""
    found: dict[str, Any] = {}
    for label in LABELS:
        pairs = [(label in one, label in other) for one, other in zip(told, meant, strict=True)]
        hits = sum(one and other for one, other in pairs)
        of = {"precision": sum(one for one, _ in pairs), "recall": sum(other for _, other in pairs)}
        found[label] = {what: _rate(hits, n) for what, n in of.items()}
    return found


def _rate(hits: int, of: int) -> dict[str, Any]:
    if not of:
        return {"of": 0, "share": None, "low": 0.0, "high": 1.0}
    low, high, share, *_ = wilson(hits, of)
    return {"of": of, "share": round(share, 3), "low": round(low, 3), "high": round(high, 3)}


def measured(name: str) -> dict[str, Any]:
    """What is told in one file, and what it took: the best of three, nothing kept, in microseconds a turn."""
    rows, replies = turns(name), answers(name)
    told = [{one.label for one in head.read(row.text, row.question, row.answer)} for row in rows]
    told += [{"refusal"} if declines(text) else set[str]() for text, _ in replies]
    meant = [row.labels for row in rows] + [frozenset({"refusal"} if is_one else ()) for _, is_one in replies]
    micros = sorted(min(_seconds(row) for _ in range(3)) * 1e6 for row in rows)
    return {
        "labels": rates(told, meant),
        "micros": {"median": round(statistics.median(micros), 1), "p95": round(micros[len(micros) * 95 // 100], 1)},
    }


def _seconds(row: Turn) -> float:
    """What all the signals of words take for one turn: the user's, and whether its answer declines."""
    for cached in (head.read, words.signs, words.cleaned, features.pieces, features.content):
        cached.cache_clear()
    # The question was a turn itself, when it came.
    features.content(row.question)
    features.pieces(row.question)
    start = time.perf_counter()
    head.read(row.text, row.question, row.answer)
    declines(row.answer)
    return time.perf_counter() - start


def write() -> None:
    """Train the head and put it into the package."""
    from benchmarks.feedback.train import train  # noqa: PLC0415 - to measure takes no scikit-learn

    made = msgspec.json.encode(train(turns("development"), turns("others")))
    Path(head.__file__).with_name(head.FILE).write_bytes(made + b"\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="train the head and put it into the package")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if arguments.write:
        write()
    report = {name: measured(name) for name in FILES}
    if arguments.json:
        print(json.dumps(report, indent=1))
        return
    print(f"{'label':18} {'shown':6} {'unseen author: precision':28} {'recall':28} first author: precision, recall")
    for label, about in LABELS.items():
        other, own = (report[name]["labels"][label] for name in FILES)
        shown = "yes" if about.shown else "no"
        columns = f"{_shown(other['precision']):28} {_shown(other['recall']):28}"
        print(f"{label:18} {shown:6} {columns} {_share(own['precision'])}, {_share(own['recall'])}")
    print(f"held-out: {again()} of {len(turns('held-out'))} turns were given the same labels again")
    for name in FILES:
        print(
            f"{name}: {report[name]['micros']['median']} µs a turn (median), {report[name]['micros']['p95']} µs (p95)"
        )


def again() -> int:
    """Turns of the held-out file that were given the same labels by who labelled them again, not knowing the first."""
    second = msgspec.json.decode((HERE / "held-out-again.json").read_bytes(), type=list[frozenset[str]])
    return sum(turn.labels == labels for turn, labels in zip(turns("held-out"), second, strict=True))


def _shown(rate: dict[str, Any]) -> str:
    return f"{_share(rate)} ({rate['low']:.2f} to {rate['high']:.2f}, of {rate['of']})"


def _share(rate: dict[str, Any]) -> str:
    return "  - " if rate["share"] is None else f"{rate['share']:.2f}"


if __name__ == "__main__":
    main()
