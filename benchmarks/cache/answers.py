"""Measures whether `app/agreement.py` tells answers that say the same from answers that do not.

    python -m benchmarks.cache.answers [--json]

Its rules were written with all of `data/answers.txt` in view: expect less on other answers. An error on the safe side
(two answers that agree taken to differ) makes the semantic cache more cautious; one on the other side hides a false
hit. Needs the prepared embedding model.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from typing import Any

from benchmarks.cache.data import DATA
from regista.app.agreement import AnswerAgreement
from regista.core.nouns import Response
from regista.models.embeddings import embedders
from regista.stats import wilson


def answers() -> list[tuple[str, str, str, bool]]:
    """Question, answer, another answer, and whether that says the same."""
    found: list[tuple[str, str, str, bool]] = []
    question = answer = ""
    for line in (DATA / "answers.txt").read_text("utf-8").splitlines():
        sign, _, rest = line.partition(" ")
        question = rest if sign == "q:" else question
        answer = rest if sign == "a:" else answer
        if sign in "=!":
            found.append((question, answer, rest, sign == "="))
    return found


async def measure() -> dict[str, Any]:
    embedder = embedders.build("minilm")

    async def embed(texts: Sequence[str]) -> Any:
        return embedder.embed(texts)

    agrees = AnswerAgreement(embed)
    report: dict[str, Any] = {}
    rows = answers()
    for name, same in (("agreeing answers found to agree", True), ("differing answers found to differ", False)):
        some = [row for row in rows if row[3] == same]
        right = [await agrees(question, Response(one), Response(other)) == same for question, one, other, _ in some]
        low, high, share, *_ = wilson(sum(right), len(right))
        report[name] = {"of": len(right), "share": round(share, 3), "low": round(low, 3), "high": round(high, 3)}
        report[name]["wrong"] = [row[2] for row, fine in zip(some, right, strict=True) if not fine]
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON")
    report = asyncio.run(measure())
    if parser.parse_args().json:
        print(json.dumps(report, indent=1))
        return
    for name, found in report.items():
        print(f"{name}: {found['share']:.1%} ({found['low']:.1%}–{found['high']:.1%} of {found['of']})")
        for text in found["wrong"]:
            print(f"  not so: {text}")


if __name__ == "__main__":
    main()
