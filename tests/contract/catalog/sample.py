"""What a dialect is asked and answers, written by hand from what its makers document.

There is one file per dialect and operation, and one for a row that asks in its own way
(`samples/<row>@<dialect>.<operation>.toml`).

`samples/<dialect>.<operation>.toml` holds the request and the answer as text (`request`, `response`) or in base64
(`request_base64`, `response_base64`), and what is in them: `prompt` (whole, with a marker that the policy of the tests
redacts), `model` (none: it stands in the path), `answer` (none: the answer has no text). `understood = false` is for a
format that no dialect reads, and that is judged as raw text; `elsewhere` names the test that covers the dialect where
its exchange is more than one request and one answer.
"""

from __future__ import annotations

import base64
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("samples")
_KEYS = frozenset(
    {
        "request",
        "request_base64",
        "response",
        "response_base64",
        "prompt",
        "model",
        "answer",
        "understood",
        "elsewhere",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One file."""

    request: bytes = b""
    response: bytes = b""
    prompt: str = ""
    model: str = ""
    answer: str = ""
    understood: bool = True
    elsewhere: str = ""


@cache
def sample(dialect: str, operation: str, row: str = "") -> Sample | None:
    """The sample of a dialect and operation, a row's own where it has one; None where nobody has written one."""
    paths = [FOLDER / f"{name}.toml" for name in (f"{row}@{dialect}.{operation}", f"{dialect}.{operation}")]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        return None
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    if unknown := document.keys() - _KEYS:
        raise ValueError(f"{path.name}: unknown {', '.join(sorted(unknown))}")
    return Sample(
        request=_bytes(document, "request"),
        response=_bytes(document, "response"),
        prompt=document.get("prompt", ""),
        model=document.get("model", ""),
        answer=document.get("answer", ""),
        understood=document.get("understood", True),
        elsewhere=document.get("elsewhere", ""),
    )


def _bytes(document: dict[str, str], key: str) -> bytes:
    if f"{key}_base64" in document:
        return base64.b64decode(document[f"{key}_base64"], validate=True)
    return document.get(key, "").encode()
