"""`regista forget`: deletes old requests, and what was said in them, for good."""

import json
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from regista.store import forgetting
from regista.surfaces.cli._place import existing_store, resolve
from regista.surfaces.cli._since import start_of
from regista.text.shown import moment


def forget(
    app: Annotated[str | None, Parameter(help="A folder, or a name under apps/.")] = None,
    *,
    before: Annotated[str, Parameter(help="Older than '30d', '12w' or '24h', or than a day such as 2026-11-01 (UTC).")],
    yes: Annotated[bool, Parameter(negative="", help="Do it. Without it, only say how many.")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")] = False,
) -> int:
    """Delete requests that began before a time: their rows, their stages, and every question and answer.

    Sums by the hour and the ledger stay. So does what was copied elsewhere: datasets, caches, exports.

    Example: regista forget club --before 30d --yes
    """
    folder = resolve(app)
    store = existing_store(folder)
    start = start_of(before, "--before")
    count = 0 if store is None else forgetting.forget(store, start) if yes else forgetting.older(store, start)
    if as_json:
        print(json.dumps({"traces": count, "before_ns": start, "forgotten": yes}))
    else:
        many = f"{count:,} request{'s' * (count != 1)}"
        done = f"Forgot {many} from before {moment(start, long=True)}. Their sums and the ledger are kept."
        asked = f"{many} began before {moment(start, long=True)}. To delete them for good, add --yes"
        Console(highlight=False, stderr=not yes).print(Text(done if yes else asked), soft_wrap=True)
    return 0 if yes or not count else 1
