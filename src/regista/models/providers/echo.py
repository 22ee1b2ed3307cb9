"""Says the question back, or all it was sent: shows what reaches a model. Uses no network and costs nothing."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from regista.core.nouns import Account, Delta, Request
from regista.core.registry import option
from regista.models import plain
from regista.models.providers import providers


@providers.add
@dataclass
class Echo:
    """Answers with the last user message."""

    received: bool = option(False, "Answer with a JSON of the whole request instead: messages, tools, hits, rest.")
    chunk: int = option(0, "Characters in each piece of a stream; 0: the whole answer in one.")

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`."""
        text = _shown(request) if self.received else request.question
        for delta in plain.answer(request, text, self.chunk):
            yield delta


def _shown(request: Request) -> str:
    return msgspec.json.encode(replace(request, account=Account(request.account.tenant))).decode()
