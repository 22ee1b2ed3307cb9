"""Functions a model may call. Types and docstrings tell it what they take and what they are for."""

from regista import tool

CENTS_A_DAY = 20
AT_MOST = 500


@tool(asks=(r"(?:fee|fine|cost|pay).*?(?P<days>\d+) days? late",))
def late_fee(days: int) -> str:
    """What a book costs that is returned late.

    Args:
        days: Days the library was open since the book was due.
    """
    cents = min(max(days, 0) * CENTS_A_DAY, AT_MOST)
    return f"A book that is {days} days late costs {cents / 100:.2f} euros."
