"""Measures when `embedded/reader` should answer, on the club's questions, and how well it then does.

    python benchmarks/reader/calibrate.py [--json]

The thresholds of `regista.models.reading.Rule` are chosen on every other question (by the mean of the
recall of answerable and of unanswerable ones) and reported on the rest. Retrieval is BM25 over the
chunks of the documents, so that the figures are those of the reader and move with nothing else.
The questions and the documents have the same authors, and only the thresholds are held out: the
weights and the stop words were set with all questions in view. So expect less on other people's.
"""

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regista.core.errors import ConfigurationError
from regista.core.nouns import Hit
from regista.models.embeddings import embedders
from regista.models.reading import Rule, Sentence, Support, choose, read
from regista.serve.context.chunkers import chunkers
from regista.serve.context.loaders import loaders
from regista.text.stems import content_stems, stems

CLUB = Path(__file__).resolve().parents[2] / "apps" / "club"
HITS = 8
SHORTLIST = 16
Similar = Callable[[str, Sequence[Sentence]], list[float] | None]


@dataclass(frozen=True)
class Outcome:
    """One question as the reader met it. `quoted`: the quotes hold the expected words, from an expected document."""

    question: dict[str, Any]
    support: Support
    quoted: bool


def chunks(folder: Path) -> list[Hit]:
    """The chunks of all Markdown documents as the platform cuts them, as hits without a score."""
    loader, chunker = loaders.build("markdown"), chunkers.build("structure")
    paths = sorted(folder.rglob("*.md"))
    documents = [loader.load(path.relative_to(folder).as_posix(), path.read_bytes()) for path in paths]
    found = [chunk for document in documents for chunk in chunker.chunk(document)]
    return [Hit(c.document, c.start, c.end, c.text, 0.0, c.title, c.heading) for c in found]


def retriever(hits: Sequence[Hit]) -> Callable[[str], list[Hit]]:
    """BM25 (k1 1.2, b 0.75) over stems of heading and text; chunks that share no word are left out."""
    counts = [Counter(stems(f"{hit.title} {hit.heading} {hit.text}")) for hit in hits]
    lengths = [count.total() for count in counts]
    mean = sum(lengths) / len(lengths)
    spread = Counter(word for count in counts for word in count)

    def score(words: list[str], index: int) -> float:
        def one(word: str) -> float:
            times = counts[index][word]
            rarity = math.log(1 + (len(hits) - spread[word] + 0.5) / (spread[word] + 0.5))
            return rarity * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * lengths[index] / mean))

        return sum(map(one, words))

    def retrieve(question: str) -> list[Hit]:
        words = content_stems(question)
        scored = sorted(((score(words, index), -index) for index in range(len(hits))), reverse=True)
        return [hits[-index] for value, index in scored[:HITS] if value > 0]

    return retrieve


def measure(
    questions: Sequence[dict[str, Any]], retrieve: Callable[[str], list[Hit]], similar: Similar
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for question in questions:
        reading = read(question["question"], retrieve(question["question"]))
        chosen, support = choose(reading, similar(question["question"], reading.candidates[:SHORTLIST]))
        text = " ".join(sentence.text for sentence in chosen).lower()
        named = any(sentence.document in question.get("documents", ()) for sentence in chosen)
        quoted = named and all(word.lower() in text for word in question.get("words", ()))
        outcomes.append(Outcome(question, support, quoted))
    return outcomes


def rates(outcomes: Sequence[Outcome], rule: Rule) -> dict[str, Any]:
    """Counts and shares of answering. `right`: answerable questions whose answer quotes what it should."""
    answered = [outcome for outcome in outcomes if rule.answers(outcome.support)]
    answerable = [outcome for outcome in outcomes if outcome.question["answerable"]]
    hit = [outcome for outcome in answered if outcome.question["answerable"]]
    right = sum(outcome.quoted for outcome in hit)
    others = len(outcomes) - len(answerable)
    return {
        "answerable": len(answerable),
        "unanswerable": others,
        "answered": len(answered),
        "precision": len(hit) / len(answered) if answered else 0.0,
        "recall": len(hit) / len(answerable),
        "abstained": 1 - (len(answered) - len(hit)) / others,
        "right": right / len(answerable),
    }


def calibrate(outcomes: Sequence[Outcome], name: str) -> Rule:
    """The rule with the best mean of `recall` and `abstained`; in a tie the middle of the tied thresholds."""
    thresholds = [step / 100 for step in range(5, 300)]
    values = [rates(outcomes, Rule(**{name: threshold})) for threshold in thresholds]
    scores = [value["recall"] + value["abstained"] for value in values]
    tied = [threshold for threshold, score in zip(thresholds, scores, strict=True) if score == max(scores)]
    return Rule(**{name: tied[len(tied) // 2]})


def halves(outcomes: Sequence[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    """Every other question of each kind and style, and the rest."""
    groups: dict[tuple[bool, str], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.question["answerable"], outcome.question["style"]), []).append(outcome)
    return [o for group in groups.values() for o in group[::2]], [o for group in groups.values() for o in group[1::2]]


def similar_by(name: str) -> Similar | None:
    try:
        embedder = embedders.build(name)
    except ConfigurationError as error:
        print(f"Left out: {error}", file=sys.stderr)
        return None

    def similar(question: str, candidates: Sequence[Sentence]) -> list[float] | None:
        vectors = embedder.embed([question, *(sentence.text for sentence in candidates)])
        return [float(cosine) for cosine in vectors[1:] @ vectors[0]]

    return similar


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure and calibrate embedded/reader.")
    parser.add_argument("--json", action="store_true", help="Print one JSON object instead of a table.")
    wants = parser.parse_args()
    lines = (CLUB / "evals" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines]
    retrieve = retriever(chunks(CLUB / "documents"))
    modes: list[tuple[str, str, Similar | None]] = [
        ("words", "coverage", lambda question, candidates: None),
        ("words and hashed", "combined", similar_by("hashed")),
        ("words and meaning", "combined", similar_by("minilm")),
    ]
    report: list[dict[str, Any]] = []
    for mode, name, similar in modes:
        if similar is None:
            continue
        tuned, held = halves(measure(questions, retrieve, similar))
        best = calibrate(tuned, name)
        for label, rule in (("calibrated", best), ("shipped", Rule())):
            for part, outcomes in (("tuning", tuned), ("held out", held)):
                row = {"mode": mode, "rule": label, "threshold": getattr(rule, name), "half": part}
                report.append(row | rates(outcomes, rule))
        if not wants.json:
            wrong = [o for o in held if Rule().answers(o.support) != o.question["answerable"]]
            print(f"\n{mode}, held out, decided wrongly by the shipped rule:")
            for outcome in wrong:
                print(
                    "  answerable  " if outcome.question["answerable"] else "  unanswerable",
                    outcome.question["question"],
                )
    if wants.json:
        print(json.dumps(report, indent=1))
        return
    print(f"\n{'mode':18} {'rule':11} {'threshold':>9} {'half':9} precision recall abstained right  (n)")
    for row in report:
        figures = "  ".join(f"{row[name]:6.2f}" for name in ("precision", "recall", "abstained", "right"))
        sizes = f"{row['answerable']}+{row['unanswerable']}"
        print(f"{row['mode']:18} {row['rule']:11} {row['threshold']:9.2f} {row['half']:9} {figures}  {sizes}")


if __name__ == "__main__":
    main()
