"""Masks personal numbers and addresses: e-mail, phone, IBAN, payment card, US SSN, IP address, UK NINO and NHS number.

By shape, check digits and, where a shape alone says little, a word before the number. Names and postal
addresses have no shape: it knows nothing about them.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from regista.core.errors import UnknownNameError
from regista.core.nouns import Action, Finding
from regista.core.registry import option
from regista.serve.guardrails import guardrails
from regista.text import checksums

_ISSUED = re.compile(
    "|".join(
        (
            r"4(?:\d{12}|\d{15}|\d{18})",  # Visa
            r"(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}",  # Mastercard
            r"3[47]\d{13}",  # American Express
            r"3(?:0[0-5]|[689]\d)\d{11,16}",  # Diners Club
            r"(?:6011|64[4-9]\d|65\d\d)\d{12,15}",  # Discover
            r"35\d{14,17}|(?:2131|1800)\d{11}",  # JCB
            r"62\d{14,17}",  # UnionPay
            r"(?:50|5[6-9]|6\d)\d{10,17}",  # Maestro
        )
    )
)
_DATE = re.compile(r"\d\d?([./-])\d\d?\1\d{2,4}|(?:19|20)\d\d[./-]?\d\d?[./-]?\d\d?|(?:19|20)\d\d ?- ?(?:19|20)\d\d")


def _digits(text: str) -> str:
    return "".join(char for char in text if "0" <= char <= "9")


def _whole(text: str, real: bool) -> int:
    return len(text) if real else 0


def _card(text: str) -> int:
    digits = _digits(text)
    return _whole(text, len(set(digits)) > 1 and _ISSUED.fullmatch(digits) is not None and checksums.luhn(digits))


def _iban(text: str) -> int:
    """The IBAN that `text` begins with; words in capitals may follow it in groups that look like its own."""
    length = checksums.IBAN_LENGTHS.get(text[:2].upper(), 0)
    if " " in text:
        length += (length - 1) // 4
    return length if text[length : length + 1] in ("", " ") and checksums.iban(text[:length].replace(" ", "")) else 0


def _nhs(text: str) -> int:
    return _whole(text, checksums.nhs(_digits(text)))


def _nino(text: str) -> int:
    return _whole(text, text[:2] not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ"))


def _ssn(text: str) -> int:
    """By the rules of the Social Security Administration: no area 000, 666 or 9xx, no part all zeros."""
    digits = _digits(text)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return _whole(text, area not in ("000", "666") and area < "900" and group != "00" and serial != "0000")


def _phone(text: str) -> int:
    digits = _digits(text)
    return _whole(text, 7 <= len(digits) <= 15 and len(set(digits)) > 2 and not _DATE.fullmatch(text))


def _ip(text: str) -> int:
    """An address of some machine, rather than of this one or of all; `1.2.3.4` is more often a version or section."""
    if len(text) == 7:
        return 0
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return 0
    return _whole(text, not (address.is_loopback or address.is_unspecified or address.is_multicast))


class _Shape(NamedTuple):
    """A kind by its shape. The first group named `it` (else all of the match) is given to `measure`.

    `measure` says how many of its characters are one: 0 where check digits or rules refuse it. It is looked for
    where a number of at least `digits` begins or, where it has a `hint`, in any text that this is found in.
    """

    kind: str
    pattern: re.Pattern[str]
    measure: Callable[[str], int]
    digits: int = 0
    hint: re.Pattern[str] | None = None


_LETTER = "A-Za-z0-9À-ɏ"
_START = r"(?<![A-Za-z0-9])"
_STOP = r"(?![A-Za-z0-9])"
_EDGE = r"(?<![A-Za-z0-9_.,#$€£/-])"
_END = r"(?![A-Za-z0-9_%/]|[.,:-]\d)"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_PHONE = "|".join(
    (
        r"\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d(?:[ .-]?\d){5,12}",
        r"(?:(?:\+?1|001)[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}",
        r"\(\d{2,5}\) ?\d{3,4}[ -]?\d{3,4}",
        r"0[1-9]\d{0,3}(?P<by>[ .-])\d{2,4}(?:(?P=by)\d{2,4}){1,3}",
        r"0[1-9]\d{2,3}[ -]\d{6,7}",
        r"[67]\d{2} \d{3} \d{3}",
    )
)
_EMAIL = _Shape(
    "email",
    re.compile(
        rf"(?<![{_LETTER}._%+@-])[{_LETTER}_][{_LETTER}._%+-]{{0,63}}"
        rf"@(?:[{_LETTER}][{_LETTER}-]{{0,62}}\.){{1,4}}[A-Za-z]{{2,24}}(?![{_LETTER}@])"
    ),
    len,
)
_IPV6 = _Shape(
    "ip_address",
    re.compile(r"(?<![A-Za-z0-9_:.])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{6,39}(?![A-Za-z0-9_:])"),
    _ip,
)
_IBAN = re.compile(r"[0-9]{2}(?<=[A-Za-z]{2}[0-9]{2})[ A-Za-z0-9]")
_DOTTED = re.compile(r"[0-9]\.[0-9]{1,3}\.[0-9]")
_SHAPES = (
    _Shape(
        "iban",
        re.compile(
            rf"{_START}[A-Za-z]{{2}}\d\d(?:[A-Za-z0-9]{{11,30}}|(?: [A-Z0-9]{{4}}){{2,7}}(?: [A-Z0-9]{{1,3}})?){_STOP}"
        ),
        _iban,
        0,
        _IBAN,
    ),
    _Shape(
        "credit_card",
        re.compile(
            r"(?<![A-Za-z0-9_.-])(?:\d{12,19}|"
            r"\d{4}(?P<a>[ -])\d{4}(?P=a)\d{4}(?P=a)\d{4}|\d{4}(?P<b>[ -])\d{6}(?P=b)\d{4,5})"
            r"(?![A-Za-z0-9_]|[.-]\d)"
        ),
        _card,
        12,
    ),
    _Shape("us_ssn", re.compile(rf"{_EDGE}\d{{3}}(?P<by>[ -])\d\d(?P=by)\d{{4}}{_END}"), _ssn, 9),
    _Shape(
        "ip_address",
        re.compile(rf"(?<![A-Za-z0-9_.])(?:{_OCTET}\.){{3}}{_OCTET}(?![A-Za-z0-9_]|\.\d)"),
        _ip,
        4,
        _DOTTED,
    ),
    _Shape(
        "uk_nino",
        re.compile(rf"{_START}[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]{_STOP}"),
        _nino,
        6,
        re.compile(r"[0-9]{2}(?:(?<=[A-Z]{2}[0-9]{2})|(?<=[A-Z]{2} [0-9]{2}))"),
    ),
)
_NUMBER = _Shape("phone", re.compile(f"{_EDGE}(?:{_PHONE}){_END}"), _phone, 8)


def _after_word(kind: str, number: str, measure: Callable[[str], int]) -> _Shape:
    between = r"[^\d\n]{1,24}?(?<![A-Za-z0-9_.,#$€£/])"
    return _Shape(kind, re.compile(rf"(?<![A-Za-z])[A-Za-z]+{between}(?P<it>{number}){_END}"), measure)


_CALLED = _after_word("phone", r"[(+]?\d(?:[ ().-]{0,2}\d){6,14}", _phone)
_INSURED = _after_word("us_ssn", r"\d{3}[ -]?\d\d[ -]?\d{4}", _ssn)
_WORDS = {
    **dict.fromkeys(("phone", "mobile", "call", "fax", "whatsapp", "dial", "messages to"), _CALLED),
    **dict.fromkeys(("ssn", "social security"), _INSURED),
    "nhs": _after_word("uk_nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}", _nhs),
}
"""Words in lower case after which a number is of a kind that its shape alone does not tell."""

KINDS = tuple(dict.fromkeys(shape.kind for shape in (_EMAIL, _IPV6, *_SHAPES, *_WORDS.values())))

_DIGIT = re.compile("[0-9]")
_CHAIN = re.compile(r"[0-9](?:[ ().+-]{0,3}[0-9]){3,}+")
"""A number as far as it may be written with gaps: what is found has at least four digits in a row of these."""

_BEGIN = re.compile(r"[(+](?=[(+]?\d)|(?<!\d)\d")
_RUN = re.compile(rf"[{_LETTER}._%+@:-]*")
_LONGEST_RUN = 336
"""Longer than any e-mail address that is found: a run beyond it holds none."""
_RECENT = 256
_NEAR = 48
"""How far back a number, and a word without a number after it, may begin that what follows completes."""
_OPEN_NUMBER = re.compile(r"(?<!\d)(?:[(+]{0,2}\d(?:[ ().+-]{0,3}\d){0,60}[ ().+-]{0,3}|[(+]{1,2})\Z")
_OPEN_CODE = re.compile(
    rf"{_START}(?:[A-Z]{{2}} ?[\d ]{{0,9}}[A-D]?"
    r"|[A-Za-z]{2}\d\d(?:[A-Za-z0-9]{0,30}|(?: [A-Z0-9]{4}){0,7}(?: [A-Z0-9]{0,3})?))\Z"
)
_OPEN = (_OPEN_NUMBER, _OPEN_CODE)
_OPEN_WORD = re.compile(r"(?<![A-Za-z])[A-Za-z]+[^\d\n]{0,24}(?:[(+]?\d(?:[ ().-]{0,3}\d){0,17}[ ().-]{0,3})?\Z")


def _words(text: str) -> Iterator[tuple[int, _Shape]]:
    """Where a word stands that says what a number after it is."""
    lower = text.lower()
    if len(lower) != len(text):  # a letter has a longer lower case: offsets would not hold
        lower = "".join(char.lower() if char.isascii() else "\x80" for char in text)
    for word in _WORDS:
        if word in lower:
            place = lower.find(word)
            while place >= 0:
                yield place, _WORDS[word]
                place = lower.find(word, place + 1)


def _candidates(text: str) -> Iterator[tuple[_Shape, re.Match[str]]]:
    """Matches of all shapes, the more certain shapes first."""
    if "@" in text:
        yield from ((_EMAIL, match) for match in _EMAIL.pattern.finditer(text))
    if "::" in text or text.count(":") > 6:
        yield from ((_IPV6, match) for match in _IPV6.pattern.finditer(text))
    chains = [(*chain.span(), len(_digits(chain[0]))) for chain in _CHAIN.finditer(text)]
    if not chains:
        return
    for shape in _SHAPES:
        if shape.hint is None:
            yield from _in_chains(text, chains, shape)
        elif shape.hint.search(text):
            yield from ((shape, match) for match in shape.pattern.finditer(text))
    for place, shape in _words(text):
        if match := shape.pattern.match(text, place):
            yield shape, match
    yield from _in_chains(text, chains, _NUMBER)


def _in_chains(text: str, chains: list[tuple[int, int, int]], shape: _Shape) -> Iterator[tuple[_Shape, re.Match[str]]]:
    """Matches of a shape, tried only where a number of enough digits, or a group of its digits, begins."""
    done = 0
    for start, end, digits in chains:
        if digits >= shape.digits:
            for place in _BEGIN.finditer(text, max(start - 2, 0), end):
                if place.start() >= done and (match := shape.pattern.match(text, place.start())):
                    yield shape, match
                    done = match.end()


def _matches(text: str) -> list[tuple[Finding, int, int]]:
    """Findings in order, without overlap, each with the span of what made it one (the word before it)."""
    kept: list[tuple[Finding, int, int]] = []
    for shape, match in _candidates(text):
        start, end = match.span("it" if "it" in match.re.groupindex else 0)
        end = start + shape.measure(text[start:end])
        if start < end and not any(start < other.end and other.start < end for other, _, _ in kept):
            kept.append((Finding(shape.kind, start, end, f"[{shape.kind.upper()}]"), match.start(), match.end()))
    kept.sort(key=lambda each: each[0].start)
    return kept


@guardrails.add
@dataclass
class Pii:
    """Finds personal data; with a vault what is masked can be restored in the answer, else it is gone for good."""

    action: Action = option("mask", "pass, mask (as [EMAIL], or [EMAIL_1] with a vault) or block")
    kinds: tuple[str, ...] = option(KINDS, "what to look for")
    reversible: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in KINDS:
                raise UnknownNameError("kind of personal data", kind, KINDS)

    def find(self, text: str) -> list[Finding]:
        if "@" not in text and _DIGIT.search(text) is None and "::" not in text:
            return []
        return [finding for finding, _, _ in _matches(text) if finding.kind in self.kinds]

    def pending(self, text: str) -> int:
        size = len(text)
        run = _RUN.match(text[: -_LONGEST_RUN - 2 : -1])
        held = run.end() if run else 0
        cut = size - held if held <= _LONGEST_RUN else size
        recent = max(size - _RECENT, 0)
        digits = _DIGIT.search(text, recent) is not None
        bare = text.endswith(("(", "+")) or (text.endswith(" ") and text[-3:-1].isupper())
        for pattern in _OPEN if digits or bare else ():
            if match := pattern.search(text, recent):
                cut = min(cut, match.start())
        near = recent if digits else max(size - _NEAR, 0)
        for place, _ in _words(text[near:]):
            if place + near < cut and _OPEN_WORD.match(text, place + near):
                cut = place + near
        if digits or "@" in text:
            for _, start, end in _matches(text):
                if start < cut < end:
                    cut = start
        return cut
