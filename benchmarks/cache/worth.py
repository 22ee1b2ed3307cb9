"""Measures which questions are told to be for one asker alone, and trains the head that helps the rules.

    python -m benchmarks.cache.worth [--write] [--json]

The rules were written with `data/worth.txt` in view, and the head is trained on it; `data/worth-fresh.txt` was written
when both were fixed, in other fields. All have one author: expect less on other people's questions. `--write` puts the
head in its place in the package. Needs the prepared embedding model and scikit-learn.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false

import argparse
import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from benchmarks.cache.data import questions
from regista.models.embeddings import embedders
from regista.models.weights import MINILM
from regista.serve.caches import worth_head
from regista.serve.caches.worth import worth_of
from regista.stats import wilson

STRENGTH = 10.0
"""Inverse of the regularisation: chosen by ten-fold cross-validation on `worth.txt` from 1, 10, 30 and 100."""


def rates(told: Sequence[bool], alone: Sequence[bool]) -> dict[str, Any]:
    """Precision and recall of telling that a question is for its asker alone, with Wilson's intervals."""
    hits = sum(a and b for a, b in zip(told, alone, strict=True))
    found: dict[str, Any] = {}
    for name, of in (("precision", sum(told)), ("recall", sum(alone))):
        low, high, share, *_ = wilson(hits, of)
        found[name] = {"of": of, "share": round(share, 3), "low": round(low, 3), "high": round(high, 3)}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the trained head into the package")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    embedder = embedders.build("minilm")
    sets = {name: questions(f"{name}.txt") for name in ("worth", "worth-fresh")}
    vectors = {name: embedder.embed([question for _, question in rows]) for name, rows in sets.items()}
    alone = {name: [label != "keep" for label, _ in rows] for name, rows in sets.items()}
    rules = {name: [bool(worth_of(question).cause) for _, question in rows] for name, rows in sets.items()}
    model: Any = LogisticRegression(C=STRENGTH, max_iter=2_000, class_weight="balanced")
    crossed: list[bool] = cast("Any", cross_val_predict(model, vectors["worth"], alone["worth"], cv=10)).tolist()
    model.fit(vectors["worth"], alone["worth"])
    fresh = model.predict(vectors["worth-fresh"]).tolist()
    report = {
        "worth.txt, rules (in view)": rates(rules["worth"], alone["worth"]),
        "worth.txt, head (cross-validated)": rates(crossed, alone["worth"]),
        "worth-fresh.txt, rules": rates(rules["worth-fresh"], alone["worth-fresh"]),
        "worth-fresh.txt, head": rates(fresh, alone["worth-fresh"]),
        "worth-fresh.txt, rules or head": rates(
            [a or b for a, b in zip(rules["worth-fresh"], fresh, strict=True)], alone["worth-fresh"]
        ),
    }
    if arguments.write:
        weights = np.asarray(model.coef_[0], "<f2").tobytes()
        head = worth_head.Head(MINILM, float(model.intercept_[0]), base64.b64encode(weights).decode())
        path = Path(worth_head.__file__).with_name(worth_head.FILE)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(head), indent=1) + b"\n")
    if arguments.json:
        print(json.dumps(report, indent=1))
        return
    for name, found in report.items():
        shown = (f"{what} {r['share']:.1%} ({r['low']:.1%}–{r['high']:.1%} of {r['of']})" for what, r in found.items())
        print(f"{name:36} {'   '.join(shown)}")


if __name__ == "__main__":
    main()
