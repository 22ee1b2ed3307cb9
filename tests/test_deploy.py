"""What `deploy/` and docs/scale.md say of Regista is true of it: settings, commands, paths. Nothing of it is run."""

import re
from pathlib import Path

import pytest
import yaml

from regista.core.settings import SETTINGS
from regista.surfaces.cli._run import run

ROOT = Path(__file__).parents[1]
FILES = [*(ROOT / "deploy").iterdir(), ROOT / "docs" / "scale.md"]


def test_every_setting_that_is_named_is_one() -> None:
    known = {setting.variable for setting in SETTINGS}
    named = {name for file in FILES for name in re.findall(r"REGISTA_[A-Z_]+", file.read_text("utf-8"))}
    assert {"REGISTA_STORE", "REGISTA_REDIS", "REGISTA_WORKERS", "REGISTA_DRAIN_S"} <= named <= known


def test_every_option_of_up_that_is_used_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    (command,) = re.findall(r"regista up (.*)", (ROOT / "deploy" / "regista.service").read_text())
    used = re.findall(r"--[a-z-]+", command + (ROOT / "deploy" / "Dockerfile").read_text().partition("\nCMD")[2])
    assert run(["up", "--help"]) == 0
    shown = capsys.readouterr().out
    assert len(used) == 5 and all(option in shown for option in used)


def test_a_stop_is_given_more_time_than_answers_and_traces_may_take() -> None:
    unit = (ROOT / "deploy" / "regista.service").read_text()
    default = next(int(setting.default) for setting in SETTINGS if setting.name == "drain_s")
    assert int(re.findall(r"TimeoutStopSec=(\d+)", unit)[0]) >= default + 20
    deployment = next(yaml.safe_load_all((ROOT / "deploy" / "kubernetes.yaml").read_text()))
    pod = deployment["spec"]["template"]["spec"]
    (drain,) = (int(one["value"]) for one in pod["containers"][0]["env"] if one["name"] == "REGISTA_DRAIN_S")
    assert pod["terminationGracePeriodSeconds"] >= 5 + drain + 20


def test_probes_ask_what_is_answered() -> None:
    deployment = next(yaml.safe_load_all((ROOT / "deploy" / "kubernetes.yaml").read_text()))
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    paths = {container[probe]["httpGet"]["path"] for probe in ("readinessProbe", "livenessProbe", "startupProbe")}
    assert paths == {"/healthz"}
