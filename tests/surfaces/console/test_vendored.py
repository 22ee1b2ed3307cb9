"""What others wrote is here as they published it."""

import hashlib
import re
from pathlib import Path

import regista.surfaces.console as console

FOLDER = Path(console.__file__).parent / "static" / "vendor"
FORBIDDEN = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?:"
TABLE = (FOLDER / "VENDORED.md").read_text("utf-8")


def test_every_vendored_file_is_in_the_table_with_its_digest() -> None:
    digests = dict(re.findall(r"\| `([\w.-]+)` \|.*`([0-9a-f]{64})`", TABLE))
    files = [path for path in FOLDER.iterdir() if path.suffix in (".js", ".css")]
    assert digests == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_every_licence_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(\w+\.LICENSE)`", TABLE))
    assert named == {path.name for path in FOLDER.glob("*.LICENSE")}
    assert all((FOLDER / name).stat().st_size > 300 for name in named)


def test_our_own_scripts_write_no_markup_and_evaluate_nothing() -> None:
    for path in FOLDER.parent.glob("*.js"):
        script = path.read_text("utf-8")
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?:", script
        )
