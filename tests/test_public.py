"""The public surface is one page, and it is what it says."""

import subprocess
import sys

import regista


def test_every_public_name_is_there() -> None:
    assert all(getattr(regista, name) is not None for name in regista.__all__)
    assert set(regista.__all__) <= set(dir(regista))


def test_a_name_that_is_not_there_is_told_with_those_that_are() -> None:
    try:
        regista.loud  # noqa: B018  # pyright: ignore
    except AttributeError as error:
        assert "load" in str(error)
    else:
        raise AssertionError("regista.loud is nothing")


def test_importing_regista_imports_nothing_heavy() -> None:
    heavy = ("msgspec", "numpy", "uvicorn", "asyncio", "rich")
    code = f"import sys, regista; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_told_without_loading_the_commands() -> None:
    done = subprocess.run([sys.executable, "-m", "regista", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"regista {regista.__version__}"
