"""What holds for every guardrail, whatever it looks for: one in the folder is covered by being there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.serve.guardrails import Guardrail, guardrails

PATTERNS = ("canary", "pii", "secrets", "size", "unicode")
PROSE = (
    "The treaty of 1648 ended the war, and its terms shaped borders for 150 years. Please explain, in three or four "
    "sentences, what each side gained; name the main towns. Is it true that prices rose by 12.5 % in between?\n\n"
    "- First point: a well-known one.\n- Second: see chapter 3 (page 27).\n"
)
BAIT = [
    *(
        "a",
        "0",
        "-",
        "@",
        "Z",
        " ",
        "\n",
        ".",
        ":",
        "=",
        "'",
        '"',
        "_",
        "/",
        "(",
        "+",
        "\u200b",
        "\u0301",
        "[",
        "sk-",
        "eyJ",
    ),
    *(
        "password=",
        "://",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----",
        "token: ",
        "GB82",
        "call ",
        "4111 ",
        "a@b.",
        "\\n",
    ),
    *("\U0001f3f4", "Bearer ", "::", "1.", "é", "中", "İ", "\ud800"),
]
LONG = [*BAIT, "a.", "a@a.", "0-", "0 ", "a=", "password=a", "password=hunter22(", 'token="a', "eyJaaaaaaaa.", "://a:b"]


def built(name: str) -> Guardrail:
    return guardrails.build(name, {"canary": "rg-7f3ac91e", "system_prompt": "Answer from the documents alone. " * 5})


@pytest.mark.parametrize("name", guardrails.names())
@given(text=st.lists(st.sampled_from(BAIT) | st.text(max_size=6), max_size=40).map("".join))
def test_findings_are_in_order_and_apart_and_pending_is_within(name: str, text: str) -> None:
    guard = built(name)
    ends = [edge for finding in guard.find(text) for edge in (finding.start, finding.end)]
    assert ends == sorted(ends) and all(0 <= edge <= len(text) for edge in ends)
    assert all(finding.start < finding.end for finding in guard.find(text))
    assert 0 <= guard.pending(text) <= len(text)


@pytest.mark.parametrize("name", guardrails.names())
def test_prose_is_not_flagged_and_hardly_held(name: str) -> None:
    guard = built(name)
    assert guard.find(PROSE) == []
    held = [cut - guard.pending(PROSE[:cut]) for cut in range(len(PROSE))]
    assert sum(held) / len(held) < 12


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("bait", LONG)
@pytest.mark.timeout(20)
def test_much_bait_is_read_in_linear_time(name: str, bait: str) -> None:
    """A quadratic reading would take many minutes, and a linear one takes a second: the time-out is the assertion."""
    guard = built(name)
    text = bait * (300_000 // len(bait))
    guard.find(text)
    guard.pending(text)
