"""Traces that are made up, as much like served ones as the pages need."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from regista.core.nouns import Call, Citation, Feedback, Span, Trace, Usage
from regista.feedback.turns import Way
from regista.store.conversations import SessionRow, TurnRow

SECOND = 10**9
MS = 10**6


def trace(n: int, *, status: str = "ok", ago_s: float = 0.0, **changes: object) -> Trace:
    """The `n`-th trace, which began so many seconds ago (its number of them, where none are named)."""
    begun = time.time_ns() - int((ago_s or n) * SECOND)
    wrong = status == "error"
    made = Trace(
        id=f"{n:08x}".ljust(32, "5"),
        application="shop",
        variant="a3f81c9b",
        model="openai/small",
        tenant="default",
        started_ns=begun,
        duration_ns=900 * MS,
        first_token_ns=200 * MS,
        status=status,
        error="The provider openai answered 503: the model is overloaded." if wrong else "",
        cached="miss",
        usage=Usage(300, 40),
        cost_nano=450_000,
        price_version="2026-11-01",
        question=f"Question {n}: where is my parcel?",
        answer="" if wrong else f"Answer {n}: with your neighbour. [1]",
        citations=() if wrong else (Citation("help/parcels.md", 10, 42, "is left with a neighbour", 1),),
        spans=spans(wrong),
        calls=(call(begun, "error" if wrong else "ok"),),
    )
    return replace(made, **changes)


def spans(wrong: bool = False) -> tuple[Span, ...]:
    """What a request that is routed and retrieves leaves behind."""
    steps = [
        {"policy": "rules", "reason": "no rule matched"},
        {"policy": "intents", "model": "default", "reason": "about parcels", "scores": {"default": 0.83, "large": 0.6}},
    ]
    chosen = {"policy": "intents", "runner_up": "large", "steps": steps, "unfit": {"tiny": "it takes no tools"}}
    hits = [{"document": "help/parcels.md", "start": 10, "end": 42, "score": 0.71}]
    return (
        Span("authenticate", "", -1, 0, MS, "allowed", "anyone on this machine"),
        Span("route", "", -1, MS, MS, "default", "intents: about parcels; then large", chosen),
        Span("retrieve", "", -1, 2 * MS, 8 * MS, "1 hits", "hybrid", {"hits": hits}),
        Span(
            "generate", "default", -1, 10 * MS, 880 * MS, "error" if wrong else "stop", "", {"notes": ["waited 2 ms"]}
        ),
    )


def call(begun: int, status: str = "ok") -> Call:
    """The one call made for it, of 870 ms, 20 ms after it began."""
    reason = "503: the model is overloaded" if status == "error" else ""
    return Call(
        *("openai", "small", "answer", status, Usage(300, 40), True, 450_000),  # pyright: ignore[reportArgumentType]
        started_ns=begun + 20 * MS,
        duration_ns=870 * MS,
        first_token_ns=180 * MS,
        reason=reason,
    )


class Talk(NamedTuple):
    """A conversation as it is stored: the traces of its turns, its turns, itself, and what was found in it."""

    traces: list[Trace]
    turns: list[TurnRow]
    session: SessionRow
    found: list[Feedback]

    @property
    def id(self) -> str:
        return self.session.session.hex()


def talk(n: int, said: Sequence[tuple[str, str]], *, ways: Sequence[Way] = (), over: bool = True) -> Talk:
    """The `n`-th conversation, which began so many minutes ago, of these questions and answers, a quarter minute apart.

    `ways` are those of the turns after the first; each follows the one before it.
    """
    traces = [
        trace(
            *(0x100000 + 0x1000 * n + at,),
            ago_s=60 * n - 15 * at,
            question=question,
            answer=answer,
            status="ok" if answer else "error",
            first_token_ns=(150 + 90 * at) * MS,
        )
        for at, (question, answer) in enumerate(said)
    ]
    ids = [bytes.fromhex(one.id) + one.started_ns.to_bytes(8) for one in traces]
    told = ["begins", *ways, *["continues"] * len(said)][: len(said)]
    turns = [
        TurnRow(
            *(
                id,
                ids[0],
                one.started_ns,
                one.started_ns + one.duration_ns,
                one.status,
                way,
                ids[at - 1] if at else b"",
            ),
            refused=False,
        )
        for at, (id, one, way) in enumerate(zip(ids, traces, told, strict=True))
    ]
    last = traces[-1]
    found = []
    if over and not last.answer:
        found = [
            Feedback(
                "signal", "gateway", last.started_ns, last.id, session=traces[0].id, name="abandoned", confidence=0.9
            )
        ]
    return Talk(traces, turns, SessionRow(ids[0], "default", "shop", turns[-1].ended_ns), found)
