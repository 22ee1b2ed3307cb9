"""Plain text, as it stands."""

from regista.core.digest import digest_bytes
from regista.core.nouns import Document
from regista.serve.context.decoding import decode, title_of
from regista.serve.context.loaders import loaders


@loaders.add
class Plain:
    """The text is the file's, its title the file's name."""

    suffixes = (".txt", ".text")

    def load(self, id: str, data: bytes) -> Document:
        return Document(id, title_of(id), decode(id, data), "text/plain", digest_bytes(data))
