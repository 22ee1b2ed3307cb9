"""Values as people read them: text made harmless on a terminal, times, money, moments."""

import time

_PICTURES = {code: 0x2400 + code for code in range(32)} | {0x7F: 0x2421}
_BLANKED = (
    *range(0x80, 0xA0),
    0x61C,
    0x200E,
    0x200F,
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
    *range(0xD800, 0xE000),
)
_HARMLESS = _PICTURES | dict.fromkeys(_BLANKED, 0xFFFD)
_HARMLESS_LINES = {code: shown for code, shown in _HARMLESS.items() if code != 0x0A} | {0x09: "    "}
_TIMES = ((1_000, "ns", 1), (1_000_000, "µs", 1_000), (1_000_000_000, "ms", 1_000_000))


def line(text: str) -> str:
    """Text from elsewhere on one line: spaces joined; what would steer a terminal or turn its text around is shown.

    >>> line("a  b\\x1b[2J")
    'a b␛[2J'
    """
    return " ".join(text.split()).translate(_HARMLESS)


def lines(text: str) -> str:
    """Text from elsewhere with its line ends; all else as in `line`."""
    return text.replace("\r\n", "\n").translate(_HARMLESS_LINES)


def short(id: str) -> str:
    """The beginning of a trace's id that lists show and commands take: the second it began in, and four digits more."""
    return id[:12]


def duration(ns: int) -> str:
    """A time in three digits.

    >>> duration(842_000), duration(3_140_000), duration(1_840_000_000)
    ('842 µs', '3.14 ms', '1.84 s')
    """
    for limit, unit, size in _TIMES:
        if ns < limit * 0.9995:
            return f"{_digits(ns / size)} {unit}"
    return f"{_digits(ns / 1e9)} s"


def money(nano: int | None) -> str:
    """Nano-dollars as dollars, small ones to two digits that say something; `?` where the price is unknown.

    >>> money(12_345), money(2_500_000_000), money(0), money(None)
    ('$0.000012', '$2.50', '$0', '?')
    """
    if nano is None:
        return "?"
    if nano == 0:
        return "$0"
    dollars = nano / 1e9
    if abs(dollars) >= 1:
        return f"${dollars:,.2f}"
    shown = f"{dollars:.9f}"
    first = next((i for i, digit in enumerate(shown) if digit in "123456789"), len(shown))
    places = min(9, max(2, first - shown.index(".") + 1))
    return f"${dollars:.{places}f}"


def moment(ns: int, *, long: bool = False) -> str:
    """A time of day where this machine is; with its date where that is not today or `long` asks for it."""
    at, now = time.localtime(ns / 1e9), time.localtime()
    if long:
        return time.strftime("%d %b %Y %H:%M:%S", at)
    return time.strftime("%H:%M:%S" if at[:3] == now[:3] else "%d %b %H:%M", at)


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
