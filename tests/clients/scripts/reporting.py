"""What the client scripts share: their arguments, and the one JSON line that each prints."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

TOOL = "lookup"
"""The tool that `--tools` offers where no other is named; it takes one string, `query`."""

TOOL_SCHEMA = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}

EARLIER_CALL = {"query": "earlier"}
"""The arguments of the call whose result `--tool-result` is."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a client saw, kept up to date while it sees it. `chunks` are the pieces of text of a stream."""

    text: str = ""
    tool_calls: list[dict[str, object]] = field(default_factory=list)
    chunks: list[str] = field(default_factory=list)
    error: dict[str, object] | None = None

    def piece(self, text: str) -> None:
        """Take one piece of a stream."""
        self.text += text
        self.chunks.append(text)

    def call(self, name: str, arguments: object) -> None:
        """Take one tool call; its arguments may be JSON text or an object."""
        values = json.loads(arguments) if isinstance(arguments, str) else arguments
        self.tool_calls.append({"name": name, "arguments": values})


def run(script: Callable[[argparse.Namespace, Outcome], None], *, model: str) -> None:
    """Parse the arguments, let `script` make its call, print the outcome. Every exception is an outcome too."""
    parser = argparse.ArgumentParser()
    parser.add_argument("prompt")
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--tools", action="store_true", help="offer a tool")
    parser.add_argument("--tool-name", default=TOOL, help=f"how the tool is called; default: {TOOL}")
    parser.add_argument("--tool-result", help="pretend the tool was called and returned this")
    parser.add_argument("--base-url")
    parser.add_argument("--model", default=model)
    parser.add_argument("--strict", action="store_true", help="let the SDK check the answer's shape")
    arguments = parser.parse_args()
    outcome = Outcome()
    try:
        script(arguments, outcome)
    except Exception as error:
        status = getattr(error, "status_code", None) or getattr(error, "code", None)
        message = getattr(error, "message", None) or str(error)
        outcome.error = {"type": type(error).__name__, "status": status, "message": message}
    sys.stdout.write(json.dumps(asdict(outcome)) + "\n")
