from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.core.errors import RequestError
from regista.core.limits import MOST, NANO, Limit, Unit, Window, parse, parse_all, span

UNITS: tuple[Unit, ...] = ("requests", "tokens", "dollars")
WINDOWS: tuple[Window, ...] = ("minute", "day", "month")
NO_LIMITS = (
    "|5|$5|5/month|-1 tokens/day|0 tokens/day|$0/day|1.5 tokens/day|1 token/week|1e3 tokens/day|٣ tokens/day|"
    "$99999999/month|tokens/day|1 tokens/day; 2 tokens/month"
)
moments = st.integers(0, 4_000_000_000 * NANO)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("60 requests/minute", Limit(60, "requests", "minute")),
        (" 1 request per day ", Limit(1, "requests", "day")),
        ("200_000 tokens/month", Limit(200_000, "tokens", "month")),
        ("1,000tokens a day", Limit(1_000, "tokens", "day")),
        ("$5/month", Limit(5 * NANO, "dollars", "month")),
        ("$0.000000001/day", Limit(1, "dollars", "day")),
        ("2.5 dollars/day", Limit(2_500_000_000, "dollars", "day")),
    ],
)
def test_a_limit_is_read_as_it_is_written(text: str, limit: Limit) -> None:
    assert parse(text) == limit


@pytest.mark.parametrize("text", NO_LIMITS.split("|"))
def test_what_is_no_limit_is_refused_with_how_one_is_written(text: str) -> None:
    with pytest.raises(RequestError, match="limit"):
        parse(text)


@given(st.integers(1, MOST), st.sampled_from(UNITS), st.sampled_from(WINDOWS))
def test_a_limit_reads_back_as_it_is_shown(amount: int, unit: Unit, window: Window) -> None:
    limit = Limit(amount, unit, window)
    assert parse(str(limit)) == limit


def test_two_limits_of_the_same_are_refused() -> None:
    with pytest.raises(RequestError, match="'5 tokens/day' and '6 tokens/day' limit the same"):
        parse_all(["5 tokens/day", "6 tokens/day"])
    assert len(parse_all(["5 tokens/day", "6 tokens/month", "7 requests/day"])) == 3


@given(moments, st.sampled_from(WINDOWS))
def test_windows_lie_end_to_end_and_each_has_its_own_name(now: int, window: Window) -> None:
    here = span(window, now)
    assert here.start_ns <= now < here.end_ns
    after, before = span(window, here.end_ns), span(window, here.start_ns - NANO) if here.start_ns else None
    assert after.start_ns == here.end_ns
    assert after.name != here.name
    assert before is None or before.end_ns == here.start_ns
    assert span(window, here.end_ns - 1) == here


@given(moments)
def test_windows_turn_with_the_calendar_in_utc(now: int) -> None:
    day, month = span("day", now), span("month", now)
    assert day.start_ns % (86_400 * NANO) == 0
    assert datetime.fromtimestamp(month.start_ns // NANO, UTC).day == 1
    assert day.name.startswith(month.name)
