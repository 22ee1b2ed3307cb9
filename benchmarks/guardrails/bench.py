"""What the first guardrails cost and find: time per text, lag on streams, recall and false flags on labelled sets.

    python benchmarks/guardrails/bench.py [--data FOLDER] [--json]

The sets (`secrets_synthetic`, `pii_presidio_synth`, `benign_*`) are read from `--data`, by default
`../shared/data/guardrails/visible` beside the repository; without them only the costs are measured.
Times are the best of several runs, in microseconds on the machine at hand.
"""

import argparse
import gzip
import json
import sys
import timeit
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from regista.serve.guardrails import Guardrail, guardrails
from regista.serve.screen import StreamScreen, screen

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("size", "unicode", "secrets", "pii")
PROSE = (
    "The treaty was signed after long talks, and its terms shaped the region for a century. Please explain, in three "
    "or four sentences, what each side gained; name the main towns, and say how trade changed between them. Is it true "
    "that prices rose? A well-known letter says so: the harbour was closed in spring, and merchants moved inland. "
)
BUSY = (
    "In 2023 the club played 38 matches, won 24 and scored 81 goals (2.13 a match). Tickets cost 25 to 60 euros; the "
    "kick-off was at 20:45, and about 41,200 people came. See chapter 3, page 112. The token limit is 4096: keep the "
    "answer short. Compare 2019-2020 with 2022-2023, and list three reasons why attendance fell by 12.5 %. "
)
PII_KINDS = {
    "CREDIT_CARD": "credit_card",
    "PHONE_NUMBER": "phone",
    "IBAN_CODE": "iban",
    "US_SSN": "us_ssn",
    "IP_ADDRESS": "ip_address",
    "EMAIL_ADDRESS": "email",
}
Row = dict[str, Any]
Guards = list[tuple[str, Guardrail]]


def microseconds(work: Callable[[], object], number: int = 2000) -> float:
    return round(min(timeit.repeat(work, number=number, repeat=7)) / number * 1e6, 1)


def stream(text: str, pieces: int, guards: Guards) -> StreamScreen:
    size = -(-len(text) // pieces)
    screened = StreamScreen(guards)
    for start in range(0, len(text), size):
        screened.push(text[start : start + size])
    screened.finish()
    return screened


def costs(guards: Guards) -> dict[str, float]:
    prompt, busy, answer = (PROSE * 2)[:400], (BUSY * 2)[:400], (PROSE * 3)[:600]
    each = {f"{name}, 400 characters": microseconds(lambda g=guard: g.find(prompt)) for name, guard in guards}
    return {
        **each,
        "all, 400 characters of prose": microseconds(lambda: screen(prompt, guards)),
        "all, 400 characters with many numbers": microseconds(lambda: screen(busy, guards)),
        "stream of 600 characters in 1 piece": microseconds(lambda: stream(answer, 1, guards)),
        "stream of 600 characters in 35 pieces": microseconds(lambda: stream(answer, 35, guards), 300),
    }


def held(guards: Guards) -> dict[str, float]:
    """Mean characters held back when a text arrives by the character."""
    means: dict[str, float] = {}
    for name, text in (("prose", PROSE), ("many numbers", BUSY)):
        screened, sent, total = StreamScreen(guards), 0, 0
        for place, char in enumerate(text, 1):
            sent += len(screened.push(char))
            total += place - sent
        means[name] = round(total / len(text), 1)
    return means


def rows(path: Path) -> Iterator[Row]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    yield from map(json.loads, content.decode().splitlines())


def secrets_quality(path: Path) -> dict[str, str]:
    guard = guardrails.build("secrets")
    hit: Counter[int] = Counter()
    all_: Counter[int] = Counter()
    for row in rows(path):
        all_[row["label"]] += 1
        hit[row["label"]] += bool(guard.find(row["text"]))
    return {"secrets found": f"{hit[1]}/{all_[1]}", "decoys flagged": f"{hit[0]}/{all_[0]}"}


def pii_quality(path: Path) -> dict[str, str]:
    """Recall by kind (a span is found where a finding of its kind overlaps it), and all findings of the kind."""
    guard = guardrails.build("pii")
    found: Counter[str] = Counter()
    labelled: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    for row in rows(path):
        findings = guard.find(row["text"])
        predicted.update(finding.kind for finding in findings)
        for span in row["spans"]:
            if kind := PII_KINDS.get(span["entity_type"]):
                start, end = span["start_position"], span["end_position"]
                labelled[kind] += 1
                found[kind] += any(f.kind == kind and f.start < end and start < f.end for f in findings)
    return {kind: f"{found[kind]}/{labelled[kind]}, {predicted[kind]} flagged" for kind in labelled}


def benign_quality(folder: Path, guards: Guards) -> dict[str, str]:
    """Texts with any finding, by set and guardrail. Some hold genuine e-mail addresses: those are right."""
    flags: dict[str, str] = {}
    for path in sorted(folder.glob("benign_*.jsonl")):
        texts = [row["text"] for row in rows(path)]
        counts = {name: sum(bool(guard.find(text)) for text in texts) for name, guard in guards}
        flags[path.stem] = ", ".join(f"{name} {count}" for name, count in counts.items()) + f" of {len(texts)}"
    return flags


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Cost and quality of the first guardrails.")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "guardrails" / "visible")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    guards = [(name, guardrails.build(name)) for name in NAMES]
    report: dict[str, dict[str, Any]] = {"microseconds": costs(guards), "characters held": held(guards)}
    if options.data.is_dir():
        report["secrets"] = secrets_quality(options.data / "secrets_synthetic.jsonl.gz")
        report["personal data"] = pii_quality(options.data / "pii_presidio_synth.jsonl")
        report["benign texts flagged"] = benign_quality(options.data, guards)
    if options.json:
        print(json.dumps(report, indent=2))
        return
    for title, values in report.items():
        table = Table(title, "", title_justify="left")
        for name, value in values.items():
            table.add_row(name, str(value))
        Console().print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
