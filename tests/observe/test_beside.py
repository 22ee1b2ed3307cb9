"""Processes beside a server take memory of a machine for as long as it serves: what few need, none begins with."""

import subprocess
import sys
from pathlib import Path

import pytest

from regista.store import BESIDE_KB, connect

HEAVY = {"asyncio", "importlib.metadata", "importlib.resources", "email", "zipfile", "regista.serve"}
FEW = {"regista.observe.otel.storing", "regista.observe.otel.capturing", "regista.observe.retention"}


@pytest.mark.parametrize(
    ("process", "without"),
    [
        ("regista.observe.writer", HEAVY | FEW),
        ("regista.app.upkeep_process", HEAVY | FEW),
        ("regista.app.feedback_process", {"asyncio", "regista.serve.guardrails"} | FEW),
    ],
)
def test_a_process_beside_the_server_opens_its_store_without_what_few_need(
    process: str, without: set[str], tmp_path: Path
) -> None:
    program = f"import sys, {process} as it; it.connect(sys.argv[1]).close(); print(*sys.modules)"
    command = [sys.executable, "-P", "-c", program, f"sqlite://{tmp_path}/regista.db"]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert process in loaded
    assert not without & set(loaded)


def test_each_connection_keeps_as_many_pages_at_hand_as_was_asked(tmp_path: Path) -> None:
    database = connect(f"sqlite://{tmp_path}/regista.db", cache_kb=BESIDE_KB)
    assert [row[0] for row in database.query("PRAGMA cache_size")] == [-BESIDE_KB]
    database.close()
