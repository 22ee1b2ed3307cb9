"""Where two halves of an answer meet: what the second repeats of the first is taken out. Text in, text out."""

LONGEST = 2_000
"""Characters at the end of the first half that the second is looked for in; and the whole of it."""
SURE = 12
"""Characters that agree by accident too seldom to matter."""
PARTIAL = 40
"""A last word longer than this is none, or a script that sets no spaces."""
WIDE = "\u2e80"
"""From here on, scripts that set no spaces between words."""


def cut_back(said: str) -> str:
    """A text without its last word, which may be half of one: who goes on begins with a whole word.

    >>> cut_back("The capital of Fra"), cut_back("The capital of ")
    ('The capital of', 'The capital')
    """
    core = said.rstrip()
    begin = _last_word(core)
    return core[:begin].rstrip() if len(core) - begin <= PARTIAL else core


class Seam:
    """Takes the second half as it comes and gives back what is new in it.

    With `words` the second half was asked to begin with the last word of the first: it repeats that, and perhaps some
    before it; where it does not, a space is set. Without, it goes on letter by letter, and only what cannot be an
    accident counts as repeated. Space that stands at the end of the first half is not set again.

    >>> seam = Seam("The capital of Fra", words=True)
    >>> seam.push("of Fr"), seam.push("ance is Paris."), seam.finish()
    ('', 'nce is Paris.', '')
    """

    def __init__(self, said: str, *, words: bool) -> None:
        core = said.rstrip()
        self._core = core
        self._glued = words and len(cut_back(said)) < len(core) == len(said)
        self._blank = said[len(core) :]
        """The space that stands already."""
        self._space = ""
        """The space that has come, while nothing else has."""
        self._head = ""
        self._open = True
        places = (0, *range(max(1, len(core) - LONGEST), len(core))) if core else ()
        self._places = [place for place in places if len(core) - place >= SURE or (words and _is_between(core, place))]

    def push(self, text: str) -> str:
        """What may leave now: nothing while all that came may still be a repetition."""
        if not self._open:
            return self._spaced(text)
        self._head += text
        # A place stays while the second half agrees with the first from there on, to the end of the shorter one.
        self._places = [place for place in self._places if self._agrees(place)]
        if not self._head or any(len(self._core) - place > len(self._head) for place in self._places):
            return ""
        return self._close()

    def finish(self) -> str:
        """The rest: nothing more will come."""
        return self._close() if self._open else ""

    def _close(self) -> str:
        self._open = False
        core, head = self._core, self._head
        repeated = max((len(core) - place for place in self._places if len(core) - place <= len(head)), default=0)
        if self._glued and not repeated and head and _is_letter(core[-1]) and _is_letter(head[0]):
            return f" {head}"
        return self._spaced(head[repeated:])

    def _spaced(self, text: str) -> str:
        """What comes after the repetition, without the space that stands already."""
        if not self._blank:
            return text
        begun = text.lstrip()
        self._space += text[: len(text) - len(begun)]
        if not begun:
            return ""
        space = self._space.removeprefix(self._blank) if self._space.startswith(self._blank) else ""
        self._blank = ""
        return space + begun

    def _agrees(self, place: int) -> bool:
        core, head = self._core, self._head
        length = len(core) - place
        return core.startswith(head, place) if len(head) <= length else head.startswith(core[place:])


def _last_word(core: str) -> int:
    """Where the last word of a text begins that does not end with space."""
    begin = len(core)
    while begin and not core[begin - 1].isspace():
        begin -= 1
    return begin


def _is_between(text: str, place: int) -> bool:
    """Whether a word may begin here."""
    return place == 0 or not (text[place - 1].isalnum() and text[place].isalnum())


def _is_letter(character: str) -> bool:
    return character.isalnum() and character < WIDE
