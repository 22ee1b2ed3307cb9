"""README and documentation are run: commands end well and print what they say, Python examples execute."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_examples import CodeExample, EvalExample, find_examples

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PREPARED = ("REGISTA_MODELS",)
"""What of Regista's own environment the commands have: where the machine keeps what was prepared once."""
SESSION = re.compile(r"```console\n(.*?)```", re.DOTALL)


def commands() -> list[tuple[str, list[str]]]:
    """Each `$ command` of the README's sessions with the lines it is said to print; `…` stands for anything."""
    found: list[tuple[str, list[str]]] = []
    for session in SESSION.findall(README):
        for line in session.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif found and line.strip():
                found[-1][1].append(line)
    return found


@pytest.mark.timeout(1_800)
def test_every_command_of_the_readme_prints_what_it_says(tmp_path: Path) -> None:
    """Of an application of its own: a server that somebody has running for the other would answer for it, and whoever
    takes in its documents at the same time would be waited for.
    """
    shutil.copytree(ROOT / "apps", tmp_path / "apps", ignore=shutil.ignore_patterns(".regista", "__pycache__"))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("REGISTA_") or name in PREPARED},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COLUMNS": "120",
        "NO_COLOR": "1",
    }
    assert len(commands()) >= 4
    for command, expected in [("regista club build", []), *commands()]:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        printed, whole = " ".join(done.stdout.split()), f"{command}\n{done.stdout}{done.stderr}"
        assert done.returncode == 0, whole
        for line in expected:
            for part in line.split("…"):
                assert " ".join(part.split()) in printed, f"{part!r} is not printed by {whole}"


@pytest.mark.parametrize("example", list(find_examples(str(ROOT / "README.md"), str(ROOT / "docs"))), ids=str)
def test_every_python_example_runs(
    example: CodeExample, eval_example: EvalExample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    eval_example.run_print_check(example)


def test_the_readme_names_every_folder_of_the_tree() -> None:
    folders = [f.name for f in (ROOT / "src" / "regista").iterdir() if (f / "__init__.py").is_file()]
    assert [folder for folder in folders if f"{folder}/" not in README] == []


def test_every_command_is_in_the_readme() -> None:
    from regista.surfaces.cli import COMMANDS  # noqa: PLC0415 - a test of the table alone

    assert [name for name in COMMANDS if f"regista {name}" not in README] == []


def test_the_reference_says_what_the_code_says() -> None:
    code = "import runpy; print(runpy.run_path('docs/generate.py')['page'](), end='')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == (ROOT / "docs" / "reference.md").read_text("utf-8"), "Type: python docs/generate.py"
