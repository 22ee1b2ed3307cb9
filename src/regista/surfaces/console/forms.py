"""What is sent from a page. Knows no page."""

from collections.abc import Mapping
from typing import NamedTuple


class Form(NamedTuple):
    """What was sent from a page, and the name of the key of who sent it; empty for who came in by the address."""

    values: Mapping[str, str]
    by: str
