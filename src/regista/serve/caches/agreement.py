"""Whether two questions that lie close together ask the same: cheap rules after the vectors, before a hit is served.

Vectors of meaning hardly see a number, a negation or which way a comparison goes. These rules see little else.
"""

from collections.abc import Callable

from msgspec import Struct

from regista.serve.caches.reading import Reading

_ALIKE = {"what", "how"}


class Agreement(Struct, frozen=True, gc=False):
    """`objection` says in what two questions differ for certain, if they do.

    `more` and `less` count the words that only the first and only the second has.
    """

    objection: str
    more: int
    less: int


def compare(a: Reading, b: Reading) -> Agreement:
    """What two questions share and do not share."""
    objection = next((f"another {name}" for name, differ in OBJECTIONS.items() if differ(a, b)), "")
    ours, theirs = set(a.words), set(b.words)
    return Agreement(objection, len(ours - theirs), len(theirs - ours))


def _kind(a: Reading, b: Reading) -> bool:
    return not (a.kind == b.kind or {a.kind, b.kind} == _ALIKE or a.kind in b.might or b.kind in a.might)


def _number(a: Reading, b: Reading) -> bool:
    return a.numbers != b.numbers


def _unit(a: Reading, b: Reading) -> bool:
    return bool(a.units and b.units and a.units != b.units)


def _calendar(a: Reading, b: Reading) -> bool:
    return a.calendar != b.calendar


def _negation(a: Reading, b: Reading) -> bool:
    return a.negations % 2 != b.negations % 2


def _direction(a: Reading, b: Reading) -> bool:
    def turned(one: Reading, other: Reading) -> bool:
        return any((axis, 1 - end) in other.poles and (axis, end) not in other.poles for axis, end in one.poles)

    return turned(a, b) or turned(b, a)


def _name(a: Reading, b: Reading) -> bool:
    return not (a.names <= set(b.words) and b.names <= set(a.words))


def _place(a: Reading, b: Reading) -> bool:
    """Where something goes to or comes from, or what it is compared with."""
    if a.to & b.of or a.of & b.to:
        return True
    shared = set(a.words) & set(b.words)
    pairs = ((a.to & shared, b.to & shared), (a.of & shared, b.of & shared), (a.than & shared, b.than & shared))
    return any(ours and theirs and ours.isdisjoint(theirs) for ours, theirs in pairs)


def _order(a: Reading, b: Reading) -> bool:
    """Two words in each other's place with something between them, or two units; and their order means something."""
    told = (a.to, a.of) == (b.to, b.of) != (frozenset(), frozenset())
    if told or a.unordered or b.unordered or a.turning != b.turning or len(a.words) != len(b.words):
        return False
    apart = [at for at, (ours, theirs) in enumerate(zip(a.words, b.words, strict=True)) if ours != theirs]
    if len(apart) != 2 or [a.words[at] for at in apart] != [b.words[at] for at in reversed(apart)]:
        return False
    return apart[1] - apart[0] > 1 or a.units.issuperset(a.words[at] for at in apart)


OBJECTIONS: dict[str, Callable[[Reading, Reading], bool]] = {
    "kind of question": _kind,
    "number": _number,
    "unit": _unit,
    "date": _calendar,
    "negation": _negation,
    "direction": _direction,
    "name": _name,
    "place": _place,
    "order": _order,
}
"""What two questions may differ in, in the order it is looked for."""
