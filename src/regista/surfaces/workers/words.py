"""What supervisor and workers tell each other, as plain values."""

from typing import Any

from msgspec import Struct


class Orders(Struct, frozen=True):
    """What a worker is to do. `settings` are those of the process, passwords included: they come by no argument."""

    folder: str
    settings: dict[str, Any]
    reload: bool
    leads: bool


class Served(Struct, frozen=True):
    """What a server that is ready says of itself."""

    name: str
    variant: str
    question: str
    embedding: str
    keys_required: bool
