"""The end user of a request, as who asks for them names them: a word that says nothing, by which what is theirs is
found again. It knows no key and no tenant: two tenants may each have a user of one name.
"""

from regista.core.digest import digest
from regista.core.nouns import Json

LONGEST = 64
"""Characters of a name that is kept as it is: as many as OpenAI takes of a `safety_identifier`."""
FIELDS = ("user", "safety_identifier")
"""Where a request names them, in OpenAI's words; the first that is given counts."""


def user_of(rest: Json) -> str:
    """The user that a request names, as a trace keeps the name; empty for none."""
    user = rest.get("user") or rest.get("safety_identifier")
    return kept(str(user)) if user else ""


def kept(name: str) -> str:
    """A name as it is stored: one that is too long, or not all letters and signs, by its digest."""
    return name if len(name) <= LONGEST and name.isprintable() else pseudonym(name)


def pseudonym(name: str) -> str:
    """What stands for a name that is not to be kept itself. Who guesses the name can check the guess."""
    return digest(name.encode("utf-8", "replace").decode())


def forms(name: str) -> tuple[str, ...]:
    """All that may stand for a name in the store."""
    return tuple(dict.fromkeys((kept(name), pseudonym(name), pseudonym(kept(name)))))


def digested(name: str) -> str:
    """A name of which nothing is to be kept but that it is the same one again."""
    return pseudonym(name) if name else ""
