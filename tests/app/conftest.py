"""Application folders made for a test."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

WHOLE = {
    "regista.toml": """[app]
name = "club"
[models.default]
model = "openai/small"
base_url = "http://127.0.0.1:9/v1"
parameters = { temperature = 0.2 }
[context]
k = 4
[guardrails]
request = ["size", "pii"]
response = ["canary", "pii"]
[guardrails.pii]
action = "block"
[agents]
tools = "tools.py"
""",
    "prompts/answer.prompt": '{{role "system"}}Say nothing of {{canary}}.\n{{role "user"}}{{question}}\n',
    "documents/a.md": "# A\n\nText.\n",
    "tools.py": """from regista import tool


@tool()
def double(n: int) -> int:
    'Twice n.'
    return 2 * n
""",
    "evals/first.jsonl": '{"question": "?"}\n',
}
"""An application without a mistake, file by file."""

MakeFolder = Callable[[Mapping[str, str | bytes | None]], Path]


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """Make the whole application with some files changed; None leaves one out."""
    count = 0

    def make(changes: Mapping[str, str | bytes | None]) -> Path:
        nonlocal count
        count += 1
        folder = tmp_path / str(count) / "club"
        for file, content in {**WHOLE, **changes}.items():
            if content is not None:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    return make
