"""What was found to have changed and is open, as the overview lists it; and how somebody has seen it."""

import asyncio
import time
from collections.abc import Sequence

from regista.app.platform import Platform
from regista.core.errors import NotFoundError
from regista.core.nouns import Json
from regista.store import Database, alarms
from regista.surfaces.console.forms import Form

MOST = 8
"""Alarms that are listed, the newest; there are hardly more features."""
_EFFECTS = {"ratio": "× {:.2g}", "h": "h {:.2f}", "psi": "PSI {:.2f}", "auc": "AUC {:.2f}"}


def listed(database: Database, applications: Sequence[str]) -> list[Json]:
    """Open alarms, the newest first, with how large each change is by its own measure."""
    found = alarms.opened(database, applications)[:MOST]
    kept = ("id", "application", "aspect", "name", "found", "before", "now", "p", "more", "opened_ns", "examples")
    return [
        {**{name: getattr(one, name) for name in kept}, "effect": _EFFECTS[one.measure].format(one.effect)}
        for one in found
    ]


async def close(platform: Platform, form: Form, rest: str) -> str:
    """Close an alarm that somebody has seen."""
    if not await asyncio.to_thread(alarms.close, platform.database, rest, time.time_ns()):
        raise NotFoundError("There is no such alarm that is open: somebody else has seen it, or it closed by itself.")
    return "/console"
