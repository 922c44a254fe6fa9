"""A classifier from its folder to findings, with the real libraries."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from agent.model.content import Where
from tests.fakes.models import write_model
from tests.fakes.services import check_of, running_checks, segment
from tests.fakes.tiny_model import TOKENIZER, graph, made

INSTALLED = all(importlib.util.find_spec(name) for name in ("onnxruntime", "tokenizers", "numpy"))
pytestmark = pytest.mark.skipif(not INSTALLED, reason="the extra `onnx` is not installed")

FILLER = "please be nice " * 200


async def found(folder: Path, text: str) -> list[tuple[str, str]]:
    check = check_of(f"{{id: m, kind: onnx, folder: '{folder}', timeout_ms: 20000}}")
    async with running_checks() as checks:
        (report,) = await checks.run(((check, (segment(text, where=Where.PROMPT),)),))
    assert report.failure == ""
    return [
        (each.finding.rule, text[each.finding.start : each.finding.end].strip()) for each in report.findings
    ]


async def test_a_sequence_classifier_marks_the_windows_it_objects_to(tmp_path: Path) -> None:
    folder = write_model(
        tmp_path / "m", model=graph(tokens=False), tokenizer=TOKENIZER, thresholds={"ATTACK": 0.7}
    )
    assert await found(folder, "please be nice") == []
    assert await found(folder, "please attack 😀") == [("ATTACK", "please attack 😀")]
    ((label, window),) = await found(folder, FILLER + "attack")
    assert label == "ATTACK"
    assert window.endswith("attack")
    assert len(window) < 200


async def test_a_token_classifier_marks_the_words(tmp_path: Path) -> None:
    folder = made(tmp_path / "m", tokens=True)
    assert await found(folder, f"😀 attack {FILLER} attack") == [("ATTACK", "attack"), ("ATTACK", "attack")]


async def test_a_model_that_was_changed_is_not_run(tmp_path: Path) -> None:
    folder = made(tmp_path / "m")
    (folder / "model.onnx").write_bytes(graph(tokens=True))
    check = check_of(f"{{id: m, kind: onnx, folder: '{folder}', timeout_ms: 20000}}")
    async with running_checks() as checks:
        (report,) = await checks.run(((check, (segment("please attack"),)),))
    assert (report.failure, report.findings) == ("model", ())
