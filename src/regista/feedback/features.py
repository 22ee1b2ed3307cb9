"""A turn as the things a classifier counts: its words and pieces of words, and what it shares with the turn before.

It knows no label and no weight. What a text shares is told by stems, without any model of meaning.
"""

import re
from functools import lru_cache

from regista.text.stems import STOP, stem

CONTEXT = 600
"""How many characters of a question and of an answer are compared: what a user speaks of stands at their beginning."""
PIECE = 4
_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+|[?!.,:;]+")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_NUMBER = re.compile(r"\d+")
_CAPITALS = re.compile(r"\b[A-Z]{3,}\b")
_ASKING = frozenset(("what", "which", "who", "whom", "when", "where", "why", "how")) | frozenset(
    ("can", "could", "is", "are", "do", "does", "may", "should", "will")
)
_FIFTHS = 5

Span = tuple[int, int]
"""Where the words of a feature stand in the cleaned text; (0, 0) for a feature of the whole."""


def features(clean: str, turn: str, question: str, answer: str) -> dict[str, Span]:
    """All features of a turn by name. `clean` is it as `words.cleaned` has it, `question` and `answer` came before."""
    names, starts, ends = ["^"], [0], [0]
    for token in _TOKEN.finditer(clean):
        names.append(_plain(token[0]))
        starts.append(token.start())
        ends.append(token.end())
    names.append("$")
    found: dict[str, Span] = {name: (0, 0) for name in _shared(turn, question, answer, len(names) + 1, names[-2])}
    starts.append(len(clean))
    ends.append(len(clean))
    _add_runs(found, names, starts, ends)
    for name, start, end in zip(names, starts, ends, strict=True):
        if len(name) + 2 > PIECE and name.isalpha():
            span = start, end
            for piece in _edged(name):
                found[piece] = span
    return found


def _add_runs(found: dict[str, Span], names: list[str], starts: list[int], ends: list[int]) -> None:
    """Runs of one to three words, and two words with any word between them."""
    for word, start, end in zip(names, starts, ends, strict=True):
        found["w " + word] = start, end
    for first, second, start, end in zip(names, names[1:], starts, ends[1:], strict=False):
        found[f"b {first} {second}"] = start, end
    for first, second, third, start, end in zip(names, names[1:], names[2:], starts, ends[2:], strict=False):
        span = start, end
        found[f"t {first} {second} {third}"] = span
        found[f"s {first} {third}"] = span


@lru_cache(maxsize=16_384)
def _edged(word: str) -> tuple[str, ...]:
    """The pieces of four letters of a word, its edges marked."""
    edged = f"<{word}>"
    return tuple("c " + edged[at : at + PIECE] for at in range(len(edged) - PIECE + 1))


def _shared(turn: str, question: str, answer: str, length: int, last: str) -> list[str]:
    """What a turn has of the question and the answer before it, in coarse steps."""
    turn, question, answer = turn[:CONTEXT], question[:CONTEXT], answer[:CONTEXT]
    own, asked, said = content(turn), content(question), content(answer)
    in_question, in_answer = len(own & asked), len((own & said) - asked)
    words = max(len(own), 1)
    of_turn, of_question = _fifth(in_question / words), _fifth(in_question / max(len(asked), 1))
    numbers, earlier = set(_NUMBER.findall(turn)), set(_NUMBER.findall(question))
    head = turn.split(maxsplit=1)
    first = head[0].strip("?,").lower() if head else ""
    shared = [
        f"of turn {of_turn}",
        f"of question {of_question}",
        f"of answer {_fifth(in_answer / words)}",
        f"both {of_turn} {of_question}",
        f"new {min(len(own) - in_question - in_answer, 6)}",
        f"length {min(length // 4, 6)}",
        f"ends {last} {of_turn}",
        f"alike {int(10 * alike(turn, question))}",
        f"numbers {'same' if numbers == earlier else 'more' if numbers - earlier else 'less'}",
        f"asks {first if first in _ASKING else '-'} {of_question}",
        f"size {min(int(3 * len(turn) / max(len(question), 1)), 6)}",
    ]
    if _CAPITALS.search(turn):
        shared.append("capitals")
    return shared


def alike(a: str, b: str) -> float:
    """Dice's share of the three-letter pieces that two texts have in common."""
    ours, theirs = pieces(a), pieces(b)
    return 2 * len(ours & theirs) / max(len(ours) + len(theirs), 1)


@lru_cache(maxsize=4_096)
def pieces(text: str) -> frozenset[str]:
    """The runs of three letters of a text."""
    joined = f" {' '.join(text.lower().split())} "
    return frozenset(map("".join, zip(joined, joined[1:], joined[2:], strict=False)))


@lru_cache(maxsize=4_096)
def content(text: str) -> frozenset[str]:
    """The stems of the words that carry a text."""
    words = set(_WORD.findall(text.lower().replace("’", "'")))
    return frozenset(map(stem, words - STOP))


def _plain(token: str) -> str:
    """A token as features name it: all numbers are one, and a run of marks is its first."""
    return "0" if token[0].isdigit() else token[0] if token[0] in "?!.,:;" else token


def _fifth(share: float) -> int:
    return min(int(share * _FIFTHS), _FIFTHS - 1)
