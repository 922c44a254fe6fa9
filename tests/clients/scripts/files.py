"""Files through an official SDK: `files.py openai|anthropic|gemini inline|upload|meant PATH-OR-ID`.

Prints one JSON document: what came back, or the error that was raised.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path


def openai(way: str, what: str) -> str:
    from openai import OpenAI

    client = OpenAI()
    if way == "upload":
        return client.files.create(file=Path(what), purpose="user_data").id
    part = {"type": "input_file", "file_id": what}
    if way == "inline":
        data = base64.b64encode(Path(what).read_bytes()).decode()
        part = {
            "type": "input_file",
            "filename": Path(what).name,
            "file_data": f"data:text/csv;base64,{data}",
        }
    said = {"role": "user", "content": [part, {"type": "input_text", "text": "what is it"}]}
    return client.responses.create(model="gpt-4.1", input=[said]).output_text  # type: ignore[list-item]


def anthropic(way: str, what: str) -> str:
    from anthropic import Anthropic

    client = Anthropic()
    if way == "upload":
        return client.beta.files.upload(file=Path(what)).id
    source = {"type": "file", "file_id": what}
    if way == "inline":
        data = base64.b64encode(Path(what).read_bytes()).decode()
        source = {"type": "base64", "media_type": "application/pdf", "data": data}
    content = [{"type": "document", "source": source}, {"type": "text", "text": "what is it"}]
    message = client.beta.messages.create(
        model="claude-sonnet-4-5",
        max_tokens=99,
        messages=[{"role": "user", "content": content}],  # type: ignore[typeddict-item]
        betas=["files-api-2025-04-14"],
    )
    return "".join(getattr(block, "text", "") for block in message.content)


def gemini(way: str, what: str) -> str:
    from google import genai
    from google.genai import types

    client = genai.Client()
    if way == "upload":
        return client.files.upload(file=what).name or ""
    if way == "inline":
        part = types.Part.from_bytes(data=Path(what).read_bytes(), mime_type="text/csv")
    else:
        uri = f"https://generativelanguage.googleapis.com/v1beta/{what}"
        part = types.Part.from_uri(file_uri=uri, mime_type="application/pdf")
    answer = client.models.generate_content(model="gemini-2.5-flash", contents=[part, "what is it"])
    return answer.text or ""


def main() -> None:
    """Call, and tell."""
    sdk, way, what = sys.argv[1:]
    seen = {"text": "", "error": ""}
    try:
        seen["text"] = {"openai": openai, "anthropic": anthropic, "gemini": gemini}[sdk](way, what)
    except Exception as error:
        seen["error"] = f"{type(error).__name__}: {error}"
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
