"""How much a trace keeps of what was said, and what a writer does that cannot hide what it is to hide."""

import msgspec
import pytest
from msgspec.structs import replace

from regista.app.hiding import HIDE, hide
from regista.core.nouns import Call, Citation, Hit, Message, Span, Trace, Usage
from regista.core.user import forms, kept, pseudonym
from regista.observe.capture import bare, hidden
from regista.observe.log import TraceLog
from regista.observe.otel import capturing
from regista.observe.otel.nouns import Event, Received, Score
from regista.store import connect
from regista.store.traces import find, recent

WORD, MAIL = "quokkaberry", "ana@example.org"
SAID = f"{WORD} {MAIL}"
NUMBERS = {"likeness": 0.5, "tokens": 12, "fresh": True}
SPANS = (
    Span("authenticate", "", -1, 0, 10, "allowed", "web", {"parent_id": "00f067aa0ba902b7"}),
    Span("cache", "exact", -1, 5, 10, "miss", "ab" * 16),
    Span("cache", "semantic", -1, 5, 10, "miss", SAID, {**NUMBERS, "kept_for": "cd" * 16}),
    Span(
        "guard request", "", -1, 5, 10, "mask", SAID, {"verdicts": [{"guardrail": "pii", "action": "mask", "x": SAID}]}
    ),
    Span(
        "tools",
        SAID,
        -1,
        5,
        10,
        "1 of 1 answered",
        "",
        {"calls": [{"name": SAID, "arguments": SAID}], "results": [SAID]},
    ),
    Span("retrieve", "hybrid", -1, 5, 10, "1 hit", SAID, {"hits": [{"document": "a.md", "start": 4, "text": SAID}]}),
    Span("generate", "m", -1, 5, 10, "error", f"ProviderError: {SAID}", {"notes": [SAID]}),
)
CALL = Call("openai", "m", "answer", "error", Usage(5, 1), True, 7, 1, 2, 1, SAID)
TRACE = Trace(
    *("ef" * 16, "club", "v", "m", "t", 5, 100, 9, "error", f"It failed: {SAID}", "miss", Usage(5, 1), 7, "2026-11"),
    *(SAID, SAID, (Citation("a.md", 3, 9, SAID, 1),), SPANS, (CALL,), "web", MAIL),
)


def words(value: object) -> bytes:
    return msgspec.json.encode(value)


def test_a_bare_trace_has_no_word_but_every_figure_and_decision() -> None:
    left = bare(TRACE)
    assert WORD.encode() not in words(left) and MAIL.encode() not in words(left)
    same = ("id", "application", "model", "started_ns", "duration_ns", "status", "usage", "cost_nano", "key")
    assert all(getattr(left, name) == getattr(TRACE, name) for name in same)
    assert [(span.stage, span.decision) for span in left.spans] == [(span.stage, span.decision) for span in SPANS]
    authenticate, exact, semantic, guard, _, retrieve, generate = left.spans
    assert (authenticate.reason, authenticate.attributes) == ("web", SPANS[0].attributes)
    assert exact.reason == "ab" * 16 and semantic.attributes == {**NUMBERS, "kept_for": "cd" * 16}
    assert guard.attributes == {"verdicts": [{"guardrail": "pii", "action": "mask"}]}
    assert retrieve.attributes == {"hits": [{"document": "a.md", "start": 4}]}
    assert (generate.reason, left.error) == ("ProviderError", "ProviderError")
    assert left.citations == (Citation("a.md", 3, 9, "", 1),) and left.calls == (replace(CALL, reason=""),)
    assert left.user == pseudonym(MAIL) in forms(MAIL)


def test_a_hidden_trace_has_all_words_but_those_that_are_personal() -> None:
    left = hidden(TRACE, hide)
    assert MAIL.encode() not in words(left)
    assert words(left).count(WORD.encode()) == words(TRACE).count(WORD.encode())
    assert left.question == f"{WORD} [EMAIL]" and left.user == pseudonym(MAIL)
    assert hidden(replace(TRACE, user="4711"), hide).user == "4711"


SENT = Received(
    "ab" * 16,
    "cd" * 8,
    name="chat",
    error=SAID,
    question=SAID,
    answer=SAID,
    user=MAIL,
    messages=(Message("user", SAID),),
    answers=(Message("assistant", [{"type": "text", "text": SAID}]),),
    documents=(Hit("a.md", 0, 4, SAID, 0.5, SAID),),
    scores=(Score("helpful", 0.5, "", SAID),),
    events=(Event("thought", 3, {"text": SAID}),),
    reason=SAID,
    attributes={"k": SAID, "n": 3, "more": {"deep": [SAID, 4]}},
    resource={"service.name": "bot", "process.command_line": SAID},
    usage=Usage(3, 4),
)


def test_spans_from_elsewhere_are_kept_by_the_same_measure() -> None:
    left = capturing.bare(SENT)
    assert WORD.encode() not in words(left) and MAIL.encode() not in words(left)
    assert (left.trace_id, left.id, left.usage, left.attributes["n"]) == (SENT.trace_id, SENT.id, SENT.usage, 3)
    assert left.resource == {"service.name": "bot"} and left.scores[0].value == 0.5
    named = {"document": SAID, "state": SAID, "more": {"model": SAID}, "vector": [0.5, 0.25], "args": {WORD: 4}, "n": 3}
    assert capturing.bare(replace(SENT, attributes=named)).attributes == {"n": 3}, "What it is called, the sender says."
    shown = capturing.hidden(SENT, hide)
    assert MAIL.encode() not in words(shown) and words(shown).count(WORD.encode()) == words(SENT).count(WORD.encode())
    assert (shown.trace_id, shown.id) == (SENT.trace_id, SENT.id)


def test_a_name_has_one_form_however_it_came() -> None:
    assert kept("customer-4711") == "customer-4711"
    for strange in ("x" * 65, "two\nlines", "\ud800", "nul\x00"):
        assert kept(strange) == pseudonym(strange) and len(kept(strange)) == 16
        assert {kept(strange), pseudonym(kept(strange))} <= set(forms(strange))


@pytest.mark.parametrize("masking", [HIDE, "regista.app.hiding:nothing", "no.such.module:hide", ""])
async def test_what_cannot_be_masked_is_not_written_and_counted(url: str, masking: str) -> None:
    log = TraceLog(url, flush_ms=5, masking=masking)
    log.capture = "masked"
    await log.start()
    log.append(TRACE)
    await log.stored()
    log.capture = "off"
    log.append(replace(TRACE, id="01" * 16))
    await log.close()
    database = connect(url)
    works = masking == HIDE
    assert (log.written, log.dropped, log.bared) == (2, 0, 0 if works else 1)
    assert find(database, TRACE.id) == (hidden(TRACE, hide) if works else bare(TRACE))
    assert find(database, "01" * 16) == bare(replace(TRACE, id="01" * 16))
    assert len(recent(database, user=MAIL)) == 2
    database.close()


async def test_a_full_queue_keeps_no_more_than_an_empty_one(url: str) -> None:
    log = TraceLog(url, queue=1, masking=HIDE)
    log.capture = "masked"
    for n in range(4):
        log.append(replace(TRACE, id=f"{n:032x}"))
    await log.start()
    await log.close()
    database = connect(url)
    assert log.thinned == 3
    for n in range(4):
        assert MAIL.encode() not in words(find(database, f"{n:032x}"))
    database.close()
