r"""Masks credentials: keys and tokens by their issuers' formats, private keys, passwords in URLs and assignments.

A literal says where a pattern is tried, so that no pattern scans a text, and each reads on from its literal
without going back over what it read. It knows nothing about whether a credential works, and takes neither
hashes nor identifiers for one.
"""

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from regista.core.nouns import Action, Finding
from regista.core.registry import option
from regista.serve.guardrails import guardrails

_FAKE = (
    *("example", "xxxx", "your", "placeholder", "changeme", "change_me", "change-me", "dummy", "redacted"),
    *("replace", "insert", "sample", "****", "....", "abcdefgh", "12345678", "<", "${", "{{", "://"),
)
_FAKES = re.compile("|".join(re.escape(form) for word in _FAKE for form in (word, word.upper(), word.capitalize())))
_COMMON = frozenset(("password", "passwd", "pass", "pwd", "secret", "token", "changeme", "xxx", "user", "test"))


def _random(body: str) -> bool:
    """Whether a token looks drawn at random: not a name, a placeholder, or a repetition."""
    if len(set(body)) < min(10, len(body) // 2) or _FAKES.search(body):
        return False
    return _has_digit(body) or _turns(body) >= len(body) // 6


def _assigned(value: str) -> bool:
    """Whether a value given to a name such as `password` is one, rather than code, a path or a placeholder."""
    lower = value.lower()
    if value[0] in "/.$%{<*" or lower in _COMMON or _FAKES.search(value):
        return False
    return len(set(value)) >= 5 and ((_has_digit(value) and value.upper() != lower) or _turns(value) >= 3)


def _in_url(value: str) -> bool:
    """Whether the part of a URL before its `@` is a password, rather than a placeholder for one."""
    lower = value.lower()
    return len(value) >= 3 and value[0] not in "$%{<*[(" and lower not in _COMMON and "xxx" not in lower


def _login(body: str) -> bool:
    """Whether base64 text holds `user:password` (RFC 7617)."""
    body = body.rstrip("=")
    return len(body) % 4 != 1 and b":" in base64.b64decode(body + "=" * (-len(body) % 4))


def _certain(_: str) -> bool:
    return True


def _has_digit(text: str) -> bool:
    return any("0" <= char <= "9" for char in text)


def _turns(text: str) -> int:
    """How often a lower-case letter is followed by an upper-case one: seldom in names, often at random."""
    return sum(a.islower() and b.isupper() for a, b in pairwise(text))


class _Kind(NamedTuple):
    """A format. `literal` opens it; `pattern` is matched there, and its first group (else all) is the secret.

    `open` matches there what may yet become one: if it reaches the end of what has arrived, more may complete it.
    """

    name: str
    literal: str
    pattern: re.Pattern[str]
    open: re.Pattern[str]
    real: Callable[[str], bool]


_EDGE = r"(?<![A-Za-z0-9_-])"
_END = r"(?![A-Za-z0-9])"
_TOKEN_OPEN = re.compile(_EDGE + r"[A-Za-z0-9_.+/=-]*+")


def _token(name: str, literal: str, body: str) -> _Kind:
    return _Kind(name, literal, re.compile(_EDGE + re.escape(literal) + body), _TOKEN_OPEN, _random)


_GAP = r"(?:\s|\\[nrt])*+"
_FIELD = r"(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset)"
_HEAD = (
    rf"-----BEGIN (?:[A-Z0-9]{{1,12}} ){{0,4}}PRIVATE KEY(?: BLOCK)?-----{_GAP}(?:{_FIELD}: [^\n\\]{{0,120}}{_GAP})*+"
)
_LINES = rf"[A-Za-z0-9+/=]{{20,}}+(?:{_GAP}[A-Za-z0-9+/=]{{20,}}+)*+"
_PEM = rf"{_HEAD}{_LINES}(?:{_GAP}[A-Za-z0-9+/=]{{0,19}}+{_GAP}(?:-----END [A-Z0-9 ]{{0,60}}-----|\Z))?"
_PEM_OPEN = (
    r"-----BEGIN(?: [A-Z0-9]*+)*+-{0,5}\Z"
    rf"|{_HEAD}(?:[A-Z][A-Za-z-]{{0,12}}(?:: ?[^\n\\]{{0,120}})?|[A-Za-z0-9+/=]*+)\\?\Z"
    rf"|{_HEAD}{_LINES}{_GAP}[A-Za-z0-9+/=]{{0,19}}+{_GAP}\\?(?:-{{1,5}}|-----E[A-Z0-9 ]{{0,60}}-{{0,5}})?\Z"
)
_GIVEN = r"(?::=?|=>?)"
_STEM = r"(?:passw(?:or)?d?|passphrase|pwd|secret|token|credential|api[_-]?key|(?:access|account|auth|private)[_-]?key)"
_NAME = rf"{_STEM}s?(?:key|value)?(?:[_-][A-Za-z0-9_-]{{1,20}})?[\"']?\s{{0,3}}"
_VALUE = r"(?:\"([^\"\n]{6,200}+)(?:\"|\Z)|'([^'\n]{6,200}+)(?:'|\Z)|([^\s\"'`;,<>()\[\]{}$&|]{8,}+)(?P<code>[(\[{$]?))"
_SOME = r"(?P<quoted>\"[^\"\n]{0,200}+|'[^'\n]{0,200}+)?+(?(quoted)|[^\s\"'`;,<>()\[\]{}$&|]*+)"
_STEMS = {
    **dict.fromkeys(("passw", "passphrase", "pwd"), "password"),
    **dict.fromkeys(("secret", "token", "credential"), "credential"),
    **dict.fromkeys((f"api{by}key" for by in ("", "_", "-")), "api_key"),
    **dict.fromkeys(
        (f"{of}{by}key" for of in ("access", "account", "auth", "private") for by in ("", "_", "-")), "credential"
    ),
}
"""Beginnings of names whose values are secret, and the kind of those."""
_ASSIGNED = re.compile(rf"(?i:{_NAME}){_GIVEN}\s{{0,3}}{_VALUE}")
_ASSIGNED_OPEN = re.compile(rf"(?i:{_NAME})(?:{_GIVEN}\s{{0,3}}{_SOME})?+")
_AUTHORISED_OPEN = re.compile(r"[A-Za-z]{5,6}\s{1,4}[A-Za-z0-9._~+/=-]*+")
_BEARER = re.compile(_EDGE + r"[Bb]earer\s{1,4}([A-Za-z0-9._~+/=-]{16,}+)")

_KINDS = (
    *(_token("aws_key_id", literal, "[A-Z0-9]{16}" + _END) for literal in ("AKIA", "ASIA")),
    *(_token("github", f"gh{letter}_", "[A-Za-z0-9]{36,}+") for letter in "pousr"),
    _token("github", "github_pat_", "[A-Za-z0-9_]{36,}+"),
    *(_token("gitlab", literal, "[A-Za-z0-9_-]{20,}+") for literal in ("glpat-", "gldt-", "glrt-")),
    _token("anthropic", "sk-", r"ant-[a-z0-9]{2,12}-[A-Za-z0-9_-]{40,}+"),
    _token("openai", "sk-", r"(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,}+"),
    _token("openrouter", "sk-", r"or-v1-[0-9a-f]{40,}+"),
    _token("openai", "sk-", r"[A-Za-z0-9]{32,}+"),
    _token("groq", "gsk_", "[A-Za-z0-9]{40,}+"),
    _token("xai", "xai-", "[A-Za-z0-9]{60,}+"),
    _token("perplexity", "pplx-", "[A-Za-z0-9]{40,}+"),
    _token("nvidia", "nvapi-", "[A-Za-z0-9_-]{50,}+"),
    _token("replicate", "r8_", "[A-Za-z0-9]{37,}+"),
    _token("huggingface", "hf_", "[A-Za-z0-9]{30,}+"),
    *(_token("slack", f"xox{letter}-", "[A-Za-z0-9-]{20,}+") for letter in "abeoprs"),
    _token("slack", "xapp-", "[A-Za-z0-9-]{30,}+"),
    *(_token("stripe", literal, "[A-Za-z0-9]{16,}+") for literal in ("sk_live_", "rk_live_")),
    _token("stripe", "whsec_", "[A-Za-z0-9+/=]{24,}+"),
    _token("google", "AIza", "[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    _token("google", "ya29.", "[A-Za-z0-9_-]{30,}+"),
    _token("google", "GOCSPX-", "[A-Za-z0-9_-]{24,}+"),
    _token("jwt", "eyJ", r"[A-Za-z0-9_-]{8,}+\.eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+"),
    _token("npm", "npm_", "[A-Za-z0-9]{36}" + _END),
    _token("pypi", "pypi-", "AgE[A-Za-z0-9_-]{50,}+"),
    _token("sendgrid", "SG.", r"[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,}+"),
    _token("digitalocean", "dop_v1_", "[0-9a-f]{64}" + _END),
    _token("databricks", "dapi", r"[0-9a-f]{32}" + _END),
    *(_token("shopify", f"shp{letters}_", "[0-9a-fA-F]{32}" + _END) for letters in ("at", "ss", "ca", "pa")),
    _token("vault", "hvs.", "[A-Za-z0-9_-]{24,}+"),
    _token("linear", "lin_api_", "[A-Za-z0-9]{32,}+"),
    *(_Kind("bearer", literal, _BEARER, _AUTHORISED_OPEN, _random) for literal in ("Bearer ", "bearer ")),
    _Kind("basic_auth", "Basic ", re.compile(_EDGE + r"Basic\s{1,4}([A-Za-z0-9+/]{8,}+=*+)"), _AUTHORISED_OPEN, _login),
    _Kind(
        "url_password",
        "://",
        re.compile(r"://[^\s:/@\"'<>]{0,64}:([^\s/@\"'<>]{1,128})@"),
        re.compile(r"://[^\s/@\"'<>]{0,194}\Z"),
        _in_url,
    ),
    _Kind("private_key", "-----BEGIN", re.compile(_PEM), re.compile(_PEM_OPEN), _certain),
)
_NAMED = {stem: _Kind(kind, stem, _ASSIGNED, _ASSIGNED_OPEN, _assigned) for stem, kind in _STEMS.items()}
_BY_LITERAL = {each.literal: [kind for kind in _KINDS if kind.literal == each.literal] for each in _KINDS}
_RARE = "JK9_:-zGB"
"""Characters rare in prose: a text without a literal's rarest one needs no search for the literal."""


def _trigger(mark: str) -> re.Pattern[str]:
    """Finds the literals that end with `mark`, looking at its occurrences alone."""
    ends = "|".join(f"((?<={re.escape(literal)}))" for literal in _BY_LITERAL if literal.endswith(mark))
    return re.compile(f"{re.escape(mark)}(?:{ends})")


_MARKED = [(mark, _trigger(mark), [literal for literal in _BY_LITERAL if literal.endswith(mark)]) for mark in "_-"]
_PLAIN = [
    (next((char for char in _RARE if char in literal), ""), literal)
    for literal in _BY_LITERAL
    if not literal.endswith(("_", "-"))
]
_MARKS = frozenset((*"_-", *(mark for mark, _ in _PLAIN if mark)))
_UNMARKED = re.compile("|".join(re.escape(literal) for mark, literal in _PLAIN if not mark))
_SHORT = 80
"""Up to this length one look at all characters is faster than one for each literal."""
_REACH = 48
"""Longer than any literal or name: of a longer run of characters, only the end can still begin one."""
_RUN = re.compile("[!-~]*")


def _places(text: str, literal: str) -> Iterator[int]:
    place = text.find(literal)
    while place >= 0:
        yield place
        place = text.find(literal, place + 1)


def _tries(text: str) -> list[tuple[int, _Kind]]:
    """Where in `text` which format may begin, in order."""
    tries: list[tuple[int, _Kind]] = []
    if len(text) > _SHORT or not _MARKS.isdisjoint(text) or _UNMARKED.search(text):
        _find_literals(text, tries)
    if "=" in text or ":" in text:
        tries += _names(text, 0)
    if tries:
        tries.sort(key=lambda each: each[0])
    return tries


def _find_literals(text: str, tries: list[tuple[int, _Kind]]) -> None:
    for mark, trigger, literals in _MARKED:
        if mark in text:
            for match in trigger.finditer(text):
                literal = literals[(match.lastindex or 1) - 1]
                tries += ((match.end() - len(literal), kind) for kind in _BY_LITERAL[literal])
    for mark, literal in _PLAIN:
        if mark in text and literal in text:
            tries += ((place, kind) for place in _places(text, literal) for kind in _BY_LITERAL[literal])


def _names(text: str, start: int) -> Iterator[tuple[int, _Kind]]:
    """Where after `start` names of secrets stand."""
    lower = text[start:].lower()
    if len(lower) == len(text) - start:  # else a letter has a longer lower case, and offsets would not hold
        # Spelt out: a loop over the parts that every stem has one of would cost more than the search.
        if (
            "key" in lower
            or "pass" in lower
            or "pwd" in lower
            or "secret" in lower
            or "token" in lower
            or "creden" in lower
        ):
            for stem, kind in _NAMED.items():
                if stem in lower:
                    yield from ((place + start, kind) for place in _places(lower, stem))
    else:
        yield from _names("".join(char if char.isascii() else "\x80" for char in text), start)


def _matches(text: str, tries: list[tuple[int, _Kind]]) -> Iterator[tuple[Finding, int, int]]:
    """Findings in order, each with the span of what made it one (the name beside the value, the quotes)."""
    taken = tried = 0
    for start, kind in tries:
        named = kind.pattern is _ASSIGNED
        if start < taken or (named and start < tried):
            continue
        match = kind.pattern.match(text, start)
        if match is None:
            continue
        # A name inside a refused value is not tried, unless its own value may follow: else this were quadratic.
        tried = match.end() - _REACH if named else tried
        group = match.lastindex if not named else next(number for number in (1, 2, 3) if match[number])
        if kind.real(match[group or 0]) and not (named and match["code"]):
            taken = match.end()
            yield Finding(kind.name, *match.span(group or 0), f"[SECRET:{kind.name}]"), *match.span()


def _open(text: str, tries: list[tuple[int, _Kind]]) -> int:
    """Where the first secret begins that more text could complete."""
    closed: dict[re.Pattern[str], int] = {}
    for start, kind in tries:
        if start < closed.get(kind.open, 0):
            continue
        if match := kind.open.match(text, start):
            if match.end() == len(text):
                return start
            # What begins within a run of characters ends where that does: trying it too would be quadratic.
            if match.re is _TOKEN_OPEN:
                closed[kind.open] = match.end()
            elif match.re is _ASSIGNED_OPEN and not match["quoted"]:
                closed[kind.open] = match.end() - _REACH
    return len(text)


@guardrails.add
@dataclass
class Secrets:
    """Finds credentials; `kind` names the issuer or the form (`github`, `private_key`, `url_password`, …)."""

    action: Action = option("mask", "pass, mask (as [SECRET:kind]) or block")

    def find(self, text: str) -> list[Finding]:
        tries = _tries(text)
        return [finding for finding, _, _ in _matches(text, tries)] if tries else []

    def pending(self, text: str) -> int:
        size = len(text)
        run = _RUN.match(text[: -_REACH - 2 : -1])
        cut = size - (run.end() if run else 0)
        if cut < size - _REACH:
            cut = size - _REACH // 2
        tries = _tries(text)
        if "=" not in text and ":" not in text:
            tries += _names(text, max(size - _REACH, 0))
        if not tries:
            return cut
        tries.sort(key=lambda each: each[0])
        cut = min(cut, _open(text, tries))
        for _, start, end in _matches(text, tries):
            if start < cut < end:
                cut = start
        return cut
