"""What a decision of the router costs, and how well its heads tell questions apart.

    python benchmarks/router/bench.py

Costs are CPU time of one decision with its span, best of five rounds, because other work on the machine only ever makes
a round dearer. Accuracies are of `intents.toml` beside this file, each example judged by a head that never saw it.
MiniLM needs its prepared model (`python -m regista.models.prepare`) and is left out without it.
"""

import asyncio
import os
import platform
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regista.core.nouns import Message, Request, Variant
from regista.models.embeddings import Embedder, embedders
from regista.models.prices import Price, Rates
from regista.models.weights import MINILM, is_complete, models_folder
from regista.models.worker import open_embedder
from regista.observe.recorder import Recorder
from regista.serve.exchange import Exchange
from regista.serve.router import Candidate, Policy
from regista.serve.router.economy import Economy
from regista.serve.router.learned import Learned
from regista.serve.router.rules import Rule, Rules
from regista.serve.router.semantic import Class, Semantic
from regista.serve.routing import intents, strength
from regista.serve.routing.vectors import Questions
from regista.serve.stages.route import Router, asked_of, attributes_of
from regista.stats.intervals import wilson

if TYPE_CHECKING:
    from regista.models.embeddings import Vectors

ROUNDS = 5
TABLE = Path(__file__).with_name("intents.toml")
LOST = (0.05, 0.1, 0.2)
PRICES = {"small": Price(Rates(150_000, 600_000, 75_000)), "large": Price(Rates(2_500_000, 10_000_000, 1_250_000))}


def labelled() -> tuple[dict[str, list[str]], list[str]]:
    """Examples by class, and questions that are of none."""
    table: dict[str, Any] = tomllib.loads(TABLE.read_text("utf-8"))
    return table["intents"], table["other"]["questions"]


def candidates() -> dict[str, Candidate]:
    return {name: Candidate(name, f"openai/{name}", (("openai", name),), price) for name, price in PRICES.items()}


def exchange_of(messages: Sequence[Message]) -> Exchange:
    """A request on its way, as the stage meets it."""
    request = Request("shop", tuple(messages), True, rest={"metadata": {"tier": "silver"}})
    recorder = Recorder("shop", "v", "shop", "acme")
    return Exchange(request, Variant("shop", "v", 0), "acme", recorder, question=request.question)


async def decided(router: Router, messages: Sequence[Message], count: int) -> float:
    """CPU microseconds of a decision, from the request to the attributes of its span: best of the rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        exchanges = [exchange_of(messages) for _ in range(count)]
        began = time.process_time()
        for exchange in exchanges:
            asked = asked_of(router, exchange)
            with exchange.recorder.span("route") as span:
                decision = await router.decide(asked)
                span.decide(decision.model, decision.reason)
                span.set(**attributes_of(decision, asked, router.keys))
        best = min(best, (time.process_time() - began) / count * 1e6)
    return best


def router_of(*named: tuple[str, Policy]) -> Router:
    return Router(named, candidates(), "small", patience_s=30.0)


def rules(count: int) -> Rules:
    """Rules of which the last holds."""
    never = {f"r{n}": Rule("large", tenant=f"other-{n}") for n in range(count - 1)}
    return Rules({**never, "last": Rule("large", metadata={"tier": "silver"}, min_tokens=1)})


async def costs(name: str) -> None:
    """Of one decision by each policy."""
    short = [Message("system", "Answer briefly."), Message("user", "Where is my parcel, and when does it come?")]
    turn = [Message("user", "And what about the other one? " * 20), Message("assistant", "It comes on Friday. " * 40)]
    long = [*short, *turn * 20, Message("user", "And then?")]
    table: list[tuple[str, Router, list[Message], int]] = [
        ("no policy", router_of(), short, 2_000),
        ("5 rules, the last holds", router_of(("rules", rules(5))), short, 2_000),
        ("50 rules, the last holds", router_of(("rules", rules(50))), short, 500),
        ("a rule on the script", router_of(("rules", Rules({"a": Rule("large", script="cyrillic")}))), short, 2_000),
        ("economy, 2 messages", router_of(("economy", Economy(("small", "large")))), short, 2_000),
        ("economy, 43 messages, 30 kB", router_of(("economy", Economy(("small", "large")))), long, 200),
    ]
    language = Rules({"a": Rule("large", language="de")})
    await language.prepare()
    table.append(("a rule on the language", router_of(("rules", language)), short, 500))
    worker = await open_embedder(name)
    try:
        await worker.start()
        table += await embedding(worker, short)
        for what, router, messages, count in table:
            print(f"  {what:<40} {await decided(router, messages, count):9.1f} µs")
        fresh = Questions(worker)
        times: list[float] = []
        for n in range(50):
            began = time.perf_counter()
            await fresh.vector(f"Where is parcel number {n}?")
            times.append((time.perf_counter() - began) * 1e6)
        print(f"  {'embedding a question not seen before':<40} {sorted(times)[25]:9.1f} µs, median ({worker.name})")
    finally:
        await worker.close()


async def embedding(worker: Any, short: list[Message]) -> list[tuple[str, Router, list[Message], int]]:
    """The policies that embed, over a question whose vector is at hand."""
    classes, _ = labelled()
    questions = Questions(worker)
    semantic = Semantic({name: Class("large", tuple(texts)) for name, texts in classes.items()}, questions=questions)
    began = time.perf_counter()
    await semantic.prepare()
    print(f"  {'training 10 classes of 26 examples':<40} {(time.perf_counter() - began) * 1e3:9.0f} ms, once")
    learned = Learned("large", "small", questions=questions)
    texts = [text for some in classes.values() for text in some]
    vectors = np.concatenate([await questions.vector(text) for text in texts])
    coefficients, scores = strength.train(vectors, np.arange(len(texts)) % 3 > 0, np.arange(len(texts)))
    head = strength.Strength("", "", "", "", "", 0, 0, coefficients, tuple(sorted(scores.tolist())))
    learned._head, learned.threshold = head.head(), head.threshold(0.5)  # pyright: ignore[reportPrivateUsage]
    return [
        ("semantic, the vector at hand", router_of(("semantic", semantic)), short, 500),
        ("learned, the vector at hand", router_of(("learned", learned)), short, 500),
    ]


def accuracy(embedder: Embedder) -> None:
    """How many intents are told right, and how many strangers are passed on."""
    classes, others = labelled()
    examples = [(at, text) for at, texts in enumerate(classes.values()) for text in texts]
    vectors: Vectors = embedder.embed([text for _, text in examples])
    strange = embedder.embed(others)
    found = intents.train(vectors, list(classes), [at for at, _ in examples])
    right, total = sum(found.trial.right), len(examples)
    told = wilson(right, total)
    interval = f"{right / total:.1%} [{told.low:.1%}, {told.high:.1%}]"
    print(f"{embedder.name}: {right} of {total} told right when left out, {interval}")
    reader = found.reader()
    for lost in LOST:
        least = found.threshold(lost)
        kept = [good for good, alike in zip(found.trial.right, found.trial.likeness, strict=True) if alike >= least]
        passed = sum(reader.find(vector[None]).likeness < least for vector in strange)
        share = f"{sum(kept) / len(kept):.1%} of {len(kept)} kept are right"
        strangers = f"{passed} of {len(others)} strangers ({passed / len(others):.0%})"
        print(f"  lost {lost:.0%}: {share}; passed on: {strangers}")


def main() -> None:
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(f"{machine}, load {os.getloadavg()[0]:.1f}")
    minilm = is_complete(models_folder("") / MINILM)
    print("One decision")
    asyncio.run(costs("minilm" if minilm else "hashed"))
    print("Intents: 10 classes of 26, and 60 questions of none")
    for name in ("minilm", "hashed") if minilm else ("hashed",):
        accuracy(embedders.build(name))


if __name__ == "__main__":
    main()
