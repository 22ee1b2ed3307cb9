"""The digest of a Variant: the same wherever the folder lies and however it is written; another for every change."""

import random
from typing import TYPE_CHECKING

import pytest

from regista.app.folder import read

if TYPE_CHECKING:
    from tests.app.conftest import MakeFolder

ONE_WAY = """[app]
prompt = "answer"
[models.default]
model = "openai/small"
parameters = { temperature = 0.2, top_p = 1.0 }
[context]
k = 4
[guardrails]
request = ["size"]
"""
ANOTHER_WAY = """# The same, written by somebody else.
guardrails.request = [ 'size', ] # one is enough
context = { k = 4, chunker = "structure" }

[models.default.parameters]
top_p = 1.0
temperature = 0.2
[models]
default.model = '''openai/small'''
"""
CHANGES: dict[str, dict[str, str]] = {
    "a parameter": {"regista.toml": ONE_WAY.replace("0.2", "0.3")},
    "a model": {"regista.toml": ONE_WAY.replace("small", "large")},
    "an option of a model": {"regista.toml": ONE_WAY + '[models.b]\nmodel = "openai/b"\nbase_url = "http://127.0.0.1"'},
    "the number of passages": {"regista.toml": ONE_WAY.replace("k = 4", "k = 5")},
    "a guardrail": {"regista.toml": ONE_WAY.replace('"size"', '"size", "pii"')},
    "an option of a guardrail": {
        "regista.toml": ONE_WAY.replace('"size"', '"size", "pii"') + '[guardrails.pii]\naction = "block"'
    },
    "an option of a chunker": {"regista.toml": ONE_WAY + "[context.chunkers.structure]\ntarget = 300"},
    "the cache": {"regista.toml": ONE_WAY + "[cache]\nexact = true"},
    "a price": {"regista.toml": ONE_WAY + '[prices."openai/small"]\ninput = "1"\noutput = "2"'},
    "the prompt": {"prompts/answer.prompt": "{{canary}} {{question}}"},
    "another prompt": {"prompts/other.prompt": "x"},
    "a tool": {"tools.py": "X = 1\n"},
    "other code": {"commands.py": "X = 1\n"},
    "code in a package": {"figures/__init__.py": ""},
}


def digest_of(make_folder: "MakeFolder", **changes: str | bytes) -> str:
    return read(make_folder({"regista.toml": ONE_WAY} | changes)).digest


def test_the_digest_is_that_of_the_meaning_and_not_of_the_writing(make_folder: "MakeFolder") -> None:
    assert digest_of(make_folder) == digest_of(make_folder, **{"regista.toml": ANOTHER_WAY})


def test_the_order_of_keys_leaves_the_digest(make_folder: "MakeFolder") -> None:
    sections = ONE_WAY.replace("[app]", "\x00[app]").replace("\n[", "\n\x00[").split("\x00")[1:]
    random.Random(4).shuffle(sections)
    assert digest_of(make_folder) == digest_of(make_folder, **{"regista.toml": "".join(sections)})


def test_line_endings_and_byte_order_marks_leave_the_digest(make_folder: "MakeFolder") -> None:
    files = {file: (make_folder({}) / file).read_bytes() for file in ("prompts/answer.prompt", "tools.py")}
    windows = {f: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n") for f, data in files.items()}
    windows["regista.toml"] = b"\xef\xbb\xbf" + ONE_WAY.replace("\n", "\r\n").encode()
    assert digest_of(make_folder, **windows) == digest_of(make_folder)


def test_a_copy_elsewhere_under_another_name_has_the_same_digest(make_folder: "MakeFolder") -> None:
    here = make_folder({"regista.toml": ONE_WAY})
    there = here.parent / "other-parent" / "other-name"
    there.parent.mkdir()
    before = read(here).digest
    here.rename(there)
    assert (read(there).name, read(there).digest) == ("other-name", before)


def test_documents_evaluations_and_data_leave_the_digest(make_folder: "MakeFolder") -> None:
    more = {"documents/b.md": "B", "evals/b.jsonl": "{}", "data/c.csv": "1", "README.md": "hi"}
    assert digest_of(make_folder, **more) == digest_of(make_folder)


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_behaviour_is_another_digest(change: str, make_folder: "MakeFolder") -> None:
    assert digest_of(make_folder, **CHANGES[change]) != digest_of(make_folder)


def test_the_digest_of_a_known_folder_is_the_same_on_every_machine(make_folder: "MakeFolder") -> None:
    one, two = digest_of(make_folder), digest_of(make_folder)
    assert one == two
    assert len(one) == 16
