"""AWS's SDK: Converse."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import boto3
import errands
from botocore.config import Config
from errands import DESCRIPTION, FORECAST_SCHEMA, PNG, RESULTS, SCHEMA, SYSTEM, TOOL, Ask, Call, Place, Seen


class Converse:
    """Converse and ConverseStream."""

    shows_thoughts = True
    results = RESULTS

    def __init__(self, place: Place) -> None:
        access, _, secret = place.key.partition(":")
        self._client = boto3.client(
            "bedrock-runtime",
            endpoint_url=place.url,
            region_name="eu-central-1",
            aws_access_key_id=access,
            aws_secret_access_key=secret or "none",
            config=Config(retries={"max_attempts": 0}),
        )
        self._model = place.model

    def begin(self, text: str) -> list[Any]:
        return [{"role": "user", "content": [{"text": text}]}]

    def look(self) -> list[Any]:
        return [
            {
                "role": "user",
                "content": [
                    {"image": {"format": "png", "source": {"bytes": b64decode(PNG)}}},
                    {"text": "What is it?"},
                ],
            }
        ]

    def ask(self, history: list[Any], ask: Ask) -> Seen:
        settings: dict[str, Any] = {"modelId": self._model, "messages": history, "system": [{"text": SYSTEM}]}
        settings["inferenceConfig"] = {"maxTokens": 4000}
        if ask.tools:
            specification = {"name": TOOL, "description": DESCRIPTION, "inputSchema": {"json": SCHEMA}}
            settings["toolConfig"] = {"tools": [{"toolSpec": specification}]}
        if ask.thinks:
            thinking = {"type": "enabled", "budget_tokens": 2000}
            settings["additionalModelRequestFields"] = {"thinking": thinking}
        if ask.schema:
            schema = {"name": "forecast", "schema": json.dumps(FORECAST_SCHEMA)}
            form = {"type": "json_schema", "structure": {"jsonSchema": schema}}
            settings["outputConfig"] = {"textFormat": form}
        seen = Seen()
        if ask.stream:
            message, stop, usage = self._streamed(settings, seen)
        else:
            answer = self._client.converse(**settings)
            message, stop, usage = answer["output"]["message"], answer["stopReason"], answer["usage"]
        seen.text = ""
        for block in message["content"]:
            if "text" in block:
                seen.text += block["text"]
            elif "toolUse" in block:
                use = block["toolUse"]
                seen.calls.append(Call(id=use["toolUseId"], name=use["name"], arguments=use["input"]))
            else:
                seen.thought += (
                    block["reasoningContent"].get("reasoningText", {}).get("text", "")
                )  # or it is sealed
        assert stop == ("tool_use" if seen.calls else "end_turn"), f"stopped by {stop}"
        seen.usage = (usage["inputTokens"], usage["outputTokens"])
        history.append(message)
        return seen

    def _streamed(self, settings: dict[str, Any], seen: Seen) -> tuple[Any, str, Any]:
        blocks: dict[int, dict[str, Any]] = {}
        stop, usage = "", None
        for event in self._client.converse_stream(**settings)["stream"]:
            [(kind, fields)] = event.items()
            if kind == "contentBlockStart":
                blocks[fields["contentBlockIndex"]] = {"toolUse": fields["start"]["toolUse"] | {"input": ""}}
            elif kind == "contentBlockDelta":
                self._more(blocks, fields["contentBlockIndex"], fields["delta"], seen)
            elif kind == "messageStop":
                stop = fields["stopReason"]
            elif kind == "metadata":
                usage = fields["usage"]
        content = [blocks[index] for index in sorted(blocks)]
        for block in content:
            if "toolUse" in block:
                block["toolUse"]["input"] = json.loads(block["toolUse"]["input"])
        return {"role": "assistant", "content": content}, stop, usage

    def _more(self, blocks: dict[int, dict[str, Any]], index: int, delta: Any, seen: Seen) -> None:
        if "text" in delta:
            seen.piece(delta["text"])
            blocks.setdefault(index, {"text": ""})["text"] += delta["text"]
        elif "toolUse" in delta:
            blocks[index]["toolUse"]["input"] += delta["toolUse"]["input"]
        else:
            if sealed := delta["reasoningContent"].get("redactedContent"):
                blocks[index] = {"reasoningContent": {"redactedContent": sealed}}
                return
            block = blocks.setdefault(index, {"reasoningContent": {"reasoningText": {"text": ""}}})
            reasoning = block["reasoningContent"]["reasoningText"]
            reasoning["text"] += delta["reasoningContent"].get("text", "")
            if signature := delta["reasoningContent"].get("signature"):
                reasoning["signature"] = signature

    def answer(self, history: list[Any], calls: list[Call], results: list[str]) -> None:
        content = [
            {"toolResult": {"toolUseId": call.id, "content": [{"text": result}]}}
            for call, result in zip(calls, results, strict=True)
        ]
        history.append({"role": "user", "content": content})


if __name__ == "__main__":
    errands.run({"boto3 converse": Converse})
