"""The console's own files: styles, scripts and what is vendored. They hold no secret, and are read once."""

import hashlib
from pathlib import Path

from regista.core.errors import NotFoundError
from regista.surfaces.http.wire import Headers, Send, respond

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": b"text/css; charset=utf-8", ".js": b"text/javascript; charset=utf-8", ".svg": b"image/svg+xml"}


class Assets:
    """All files below `static/`, under an address that is another one when any of them changed."""

    def __init__(self) -> None:
        paths = sorted(path for path in FOLDER.rglob("*") if path.suffix in TYPES)
        self._files = {path.relative_to(FOLDER).as_posix(): (TYPES[path.suffix], path.read_bytes()) for path in paths}
        digest = hashlib.sha256()
        for name, (_, body) in self._files.items():
            digest.update(f"{name} {len(body)} ".encode() + body)
        self.base = f"/console/static/{digest.hexdigest()[:12]}"
        """Where they are; files that name each other do so by relative addresses."""

    async def answer(self, send: Send, path: str, headers: Headers) -> None:
        """Send the file at `path`, which begins after `/console/static/`."""
        version, _, name = path.partition("/")
        if name not in self._files:
            raise NotFoundError(f"The console has no file {name[:80]!r}.")
        kind, body = self._files[name]
        # Who still holds a page of another version gets today's file, and does not keep it under yesterday's name.
        kept = b"public, max-age=31536000, immutable" if self.base.endswith(version) and version else b"no-store"
        await respond(send, 200, body, [*headers, (b"content-type", kind), (b"cache-control", kept)])
