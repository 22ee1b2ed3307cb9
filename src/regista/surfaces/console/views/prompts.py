"""Prompts: the application's files, every text of them that was served, and what came of each. Knows no model."""

import asyncio
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from regista.app.folder import BASE, Folder
from regista.app.platform import Platform
from regista.core.errors import NotFoundError, RequestError, did_you_mean, near
from regista.core.nouns import Json
from regista.prompts.file import PromptFile
from regista.prompts.variables import VARIABLES
from regista.stats.intervals import wilson
from regista.store import Database
from regista.store.prompts import Served, served, text_of
from regista.store.rollups import Rollup, by_variant
from regista.surfaces.console.patches import MOST, lines
from regista.surfaces.console.stretches import LENGTHS, stretch

VERSIONS = 50
"""Versions that are listed: the newest."""
VARIANTS = 20
"""Variants that are listed of each: the newest."""


async def show(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """The list's data."""
    return await asyncio.to_thread(_listed, platform.database, platform.application.folder)


async def show_one(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """One prompt's versions, their traffic, and the lines in which two of them differ."""
    return await asyncio.to_thread(_read, platform.database, platform.application.folder, rest, query)


def prompt_of(folder: Folder, name: str) -> PromptFile:
    """A prompt of the folder as it is served. Raises `NotFoundError`."""
    found = folder.prompts.get(name)
    if found is None:
        guess = did_you_mean(near(name, folder.prompts))
        raise NotFoundError(f"There is no prompt {name[:60]!r}.{guess} Known: {', '.join(sorted(folder.prompts))}.")
    return found


def _listed(database: Database, folder: Folder) -> Json:
    texts: dict[str, set[str]] = {}
    for one in served(database, folder.name):
        texts.setdefault(one.name, set()).add(one.digest)
    used = _used(folder)
    names = sorted({*folder.prompts, *texts}, key=lambda name: (name not in folder.prompts, name))
    return {
        "prompts": [
            {"name": name, "file": _file(folder, name), "used": used.get(name, []), "texts": len(texts.get(name, ()))}
            for name in names
        ]
    }


def _file(folder: Folder, name: str) -> Json | None:
    """What a file says of itself; None where only the store has it."""
    found = folder.prompts.get(name)
    if found is None:
        return None
    return {
        "digest": found.prompt.digest,
        "model": found.prompt.model or folder.settings.app.model,
        "variables": sorted(found.template.names),
        "own": sorted(found.template.names - VARIABLES.keys()),
        "is_served": name == folder.settings.app.prompt,
    }


def _used(folder: Folder) -> dict[str, list[str]]:
    """Which variants of the folder answer with which prompt."""
    found: dict[str, list[str]] = {folder.base.app.prompt: [BASE]}
    for file in sorted((folder.path / "variants").glob("*.toml")):
        found.setdefault(_prompt_in(file) or folder.base.app.prompt, []).append(file.stem)
    return found


def _prompt_in(file: Path) -> str:
    try:
        given: Json = tomllib.loads(file.read_text("utf-8"))
        return str(given["app"]["prompt"])
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
    ):  # it names none, or has mistakes, which are told when it is tried
        return ""


def _read(database: Database, folder: Folder, name: str, query: Mapping[str, str]) -> Json:
    kept = served(database, folder.name, name)
    if not kept:
        prompt_of(folder, name)
    over = stretch(query.get("range", ""), "7d")
    first = {one.digest: one for one in reversed(kept)}
    digests = sorted(first, key=lambda digest: -first[digest].first_ns)
    traffic = by_variant(database, folder.name, over.since_s, over.until_s, over.grain_s) if kept else {}
    current = folder.prompts.get(name)
    now = current.prompt.digest if current is not None else ""
    ordered = [*filter(None, [now]), *(one for one in digests if one != now)]
    old, new = _two(query, ordered)
    return {
        "name": name,
        "file": _file(folder, name),
        "text": current.text if current is not None else text_of(database, digests[0]),
        "versions": [version(digest, kept, traffic) for digest in digests[:VERSIONS]],
        "left_out": max(0, len(digests) - VERSIONS),
        "digests": ordered,
        "old": old,
        "new": new,
        "diff": lines(_text(database, current, old), _text(database, current, new)) if old != new else [],
        "most": MOST,
        "range": over.name,
        "ranges": [one for one in LENGTHS if one.endswith("d")],
    }


def _two(query: Mapping[str, str], digests: Sequence[str]) -> tuple[str, str]:
    """Which two texts are compared: the newest with the one before, where nothing else is asked for."""
    found: list[str] = []
    for name, usual in (("old", digests[min(1, len(digests) - 1)]), ("new", digests[0])):
        given = query.get(name, "") or usual
        match = [one for one in digests if one.startswith(given)]
        if len(match) != 1:
            known = ", ".join(one[:8] for one in digests[:8])
            raise RequestError(
                f"{name!r} is {given[:20]!r}: give the beginning of a digest, such as {known}.", param=name
            )
        found.append(match[0])
    return found[0], found[1]


def _text(database: Database, current: PromptFile | None, digest: str) -> str:
    if current is not None and current.prompt.digest == digest:
        return current.text
    return text_of(database, digest) or ""


def version(digest: str, kept: Sequence[Served], traffic: Mapping[str, Rollup]) -> Json:
    """A text with the variants that had it, each with what came of its requests."""
    variants = [one for one in kept if one.digest == digest]
    return {
        "digest": digest,
        "first_ns": min(one.first_ns for one in variants),
        "variants": [_variant(one, traffic.get(one.variant) if one.answers else None) for one in variants[:VARIANTS]],
        "left_out": max(0, len(variants) - VARIANTS),
    }


def _variant(one: Served, did: Rollup | None) -> Json:
    ends = wilson(did.failed, did.count) if did is not None and did.count else None
    return {
        "variant": one.variant,
        "called": one.called,
        "answers": one.answers,
        "first_ns": one.first_ns,
        "did": did,
        "failed_low": ends.low if ends else None,
        "failed_high": ends.high if ends else None,
    }
