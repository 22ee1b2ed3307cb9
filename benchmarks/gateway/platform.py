"""What a request costs within the platform, in CPU time: no HTTP, no provider's network, and no trace stored.

    python -m benchmarks.gateway.platform

Each line is an application with one thing more than `an application`, or all of them. Microseconds, the least of
several runs in one thread; a question of 400 bytes that never repeats, an answer of 600.
"""

import asyncio
import gc
import sys
import tempfile
import time
from contextlib import aclosing
from pathlib import Path

import uvloop

from benchmarks.gateway.gateways import LIMITS, PROMPT
from regista.app.platform import ANYONE, Platform
from regista.core.limits import parse_all
from regista.core.nouns import Message, Request
from regista.core.settings import settings
from regista.store.keys import Key

ANSWER = "The answer is a text of some six hundred bytes, as in the other benchmarks. " * 8
HEAD = '[app]\nname = "bench"\n[prices."scripted/x"]\ninput = "0.15"\noutput = "0.60"\n'
ROUTER = '[router]\npolicies = ["rules"]\n[router.rules.when.long]\nmin_tokens = 100000\nmodel = "second"\n'
CACHE = "[cache]\nexact = true\n"
RESILIENT = 'retries = 2\nfallbacks = ["second"]\nhedge_s = 2.0\ntotal_s = 30\nconcurrency = 512'
RUNS, REQUESTS = 7, 600


def configuration(keys: str = "retries = 0", tables: str = "") -> str:
    """An application over a model that answers at once; `keys` are the model's own."""
    model = f'model = "scripted/{{}}"\nanswers = ["""{ANSWER}"""]\n'
    return f"{HEAD}[models.default]\n{model.format('x')}{keys}\n[models.second]\n{model.format('y')}{tables}"


CASES: dict[str, tuple[str, str, bool]] = {
    "a raw model": (configuration(), "scripted/x", False),
    "an application": (configuration(), "bench", False),
    "+ retries": (configuration("retries = 2"), "bench", False),
    "+ a key with three limits": (configuration(), "bench", True),
    "+ a fallback, continuation": (configuration('retries = 0\nfallbacks = ["second"]'), "bench", False),
    "+ hedging": (configuration("retries = 0\nhedge_s = 2.0"), "bench", False),
    "+ a router with a rule": (configuration(tables=ROUTER), "bench", False),
    "+ the exact cache, missed": (configuration(tables=CACHE), "bench", False),
    "all of it": (configuration(RESILIENT, ROUTER + CACHE), "bench", True),
}
"""Title to configuration, what is asked for, and whether the key has limits."""


async def cost(text: str, model: str, limited: bool) -> float:
    """Microseconds of CPU time for one answer."""
    sys.set_asyncgen_hooks(None, None)  # as the server does
    key = Key("bench", "default", "rk-bench", time.time_ns(), limits=parse_all(LIMITS)) if limited else ANYONE
    with tempfile.TemporaryDirectory() as folder:
        application = Path(folder) / "bench"
        (application / "prompts").mkdir(parents=True)
        (application / "regista.toml").write_text(text)
        (application / "prompts" / "answer.prompt").write_text(PROMPT)
        platform = await Platform.open(application, settings({}))
        platform.log.append = lambda trace: None

        async def ask(number: int) -> None:
            question = f"request {number:016x} " + "with some more words in it, " * 13
            serving = platform.serve(Request(model, (Message("user", question),)), key)
            async with aclosing(serving.deltas()) as deltas:
                async for _ in deltas:
                    pass

        for number in range(REQUESTS // 2):
            await ask(number)
        gc.collect()
        gc.freeze()
        best = float("inf")
        for run in range(1, RUNS + 1):
            begun = time.process_time()
            for number in range(REQUESTS):
                await ask(run * 1_000_000 + number)
            best = min(best, (time.process_time() - begun) / REQUESTS * 1e6)
            await asyncio.sleep(0)
        await platform.close()
        return best


def main() -> None:
    """Print a table."""
    for title, case in CASES.items():
        print(f"{uvloop.run(cost(*case)):7.1f} µs  {title}", flush=True)


if __name__ == "__main__":
    main()
