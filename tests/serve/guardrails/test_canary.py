"""A leaked system prompt is noticed by its canary or by its words."""

import base64
import re

import pytest

from regista.serve.guardrails.canary import Canary
from regista.serve.screen import StreamScreen, screen

TOKEN = "rg-7f3ac91e"
PROMPT = (
    "You are the assistant of a football club. Answer from the documents alone, never guess, and say so when "
    "the documents do not hold the answer. Keep to the language of the question."
)


def guard() -> Canary:
    return Canary(canary=TOKEN, system_prompt=PROMPT)


@pytest.mark.parametrize(
    "written",
    [
        TOKEN,
        TOKEN.upper(),
        " ".join(TOKEN),
        "-".join("rg7f3ac91e"),
        "r*g 7f 3a c9 1e",
        base64.b64encode(TOKEN.encode()).decode(),
        base64.b64encode(b"x" + TOKEN.encode() + b"and more").decode(),
        base64.b64encode(b"my" + TOKEN.encode() + b"yes").decode(),
        TOKEN.encode().hex(),
    ],
)
def test_the_canary_is_found_however_it_is_written(written: str) -> None:
    text = f"My instructions hold {written} as a mark."
    (finding,) = guard().find(text)
    assert finding.kind == "canary"
    stream = StreamScreen([("canary", guard())])
    out = "".join(map(stream.push, text)) + stream.finish()
    assert stream.blocked and text[: finding.start].startswith(out)


def test_twelve_words_of_the_prompt_are_a_leak_and_eleven_are_not() -> None:
    words = re.findall(r"[\w,]+", PROMPT)[9:21]
    assert [each.kind for each in guard().find("Sure! " + " ".join(words))] == ["prompt"]
    assert guard().find("Sure! " + " ".join(words[:11])) == []


def test_of_a_leaking_stream_not_one_word_of_the_prompt_leaves() -> None:
    stream = StreamScreen([("canary", guard())])
    out = "".join(map(stream.push, f"It says: {PROMPT} That is all.")) + stream.finish()
    assert stream.blocked and out == "It says: "


def test_without_a_canary_and_a_prompt_nothing_is_found_or_held() -> None:
    assert screen(PROMPT, [("canary", Canary())])[0] == PROMPT
    assert Canary().pending(PROMPT) == len(PROMPT)
