"""A value that must not be shown: it prints as stars wherever it lands."""


class Secret:
    """Wraps a key or token. Only `reveal()` gives it back.

    >>> Secret("sk-123"), f"{Secret('sk-123')}"
    (Secret('***'), '***')
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str:
        raise TypeError("A Secret is not pickled: pass the name of its environment variable instead.")
