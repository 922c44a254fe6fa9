"""OpenAI's SDK: Chat Completions, Responses, and the rest of what it can ask for."""

from __future__ import annotations

import json
from typing import Any

import errands
from errands import DESCRIPTION, FORECAST_SCHEMA, PNG, RESULTS, SCHEMA, SYSTEM, TOOL, Ask, Call, Place, Seen
from openai import OpenAI


def _client(place: Place) -> OpenAI:
    return OpenAI(
        base_url=f"{place.url}/v1", api_key=place.key, max_retries=0, _strict_response_validation=True
    )


class Chat:
    """Chat Completions."""

    shows_thoughts = True  # in a field that the SDK does not know, but keeps
    results = RESULTS

    def __init__(self, place: Place) -> None:
        self._client = _client(place)
        self._model = place.model

    def begin(self, text: str) -> list[Any]:
        return [{"role": "developer", "content": SYSTEM}, {"role": "user", "content": text}]

    def look(self) -> list[Any]:
        return [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is it?"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                ],
            }
        ]

    def ask(self, history: list[Any], ask: Ask) -> Seen:
        function = {"name": TOOL, "description": DESCRIPTION, "parameters": SCHEMA}
        settings: dict[str, Any] = (
            {"tools": [{"type": "function", "function": function}]} if ask.tools else {}
        )
        settings |= {"reasoning_effort": "low"} if ask.thinks else {}
        if ask.schema:
            form = {"name": "forecast", "schema": FORECAST_SCHEMA, "strict": True}
            settings["response_format"] = {"type": "json_schema", "json_schema": form}
        if ask.stream:
            return self._stream(history, settings)
        answer = self._client.chat.completions.create(model=self._model, messages=history, **settings)
        message = answer.choices[0].message
        history.append(message)
        calls = [
            Call(id=call.id, name=call.function.name, arguments=json.loads(call.function.arguments))
            for call in message.tool_calls or ()
        ]
        assert answer.choices[0].finish_reason == ("tool_calls" if calls else "stop")
        usage = (answer.usage.prompt_tokens, answer.usage.completion_tokens)
        thought = getattr(message, "reasoning_content", "")
        return Seen(text=message.content or "", calls=calls, thought=thought, usage=usage)

    def _stream(self, history: list[Any], settings: dict[str, Any]) -> Seen:
        """The history gets what people put together from a stream: text and calls."""
        seen = Seen()
        finish = None
        counted = {"stream": True, "stream_options": {"include_usage": True}}
        chunks = self._client.chat.completions.create(
            model=self._model, messages=history, **settings, **counted
        )
        for chunk in chunks:
            if chunk.usage:
                seen.usage = (chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
            for choice in chunk.choices:
                finish = choice.finish_reason or finish
                seen.piece(choice.delta.content)
                seen.thought += getattr(choice.delta, "reasoning_content", None) or ""
                for call in choice.delta.tool_calls or ():
                    if call.index == len(seen.calls):
                        seen.calls.append(Call(id=call.id, name=call.function.name, arguments=""))
                    seen.calls[call.index].arguments += call.function.arguments or ""
        assert finish == ("tool_calls" if seen.calls else "stop"), f"the stream ended with {finish}"
        made = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in seen.calls
        ]
        message = {"role": "assistant", "content": seen.text or None}
        history.append(message | ({"tool_calls": made} if made else {}))
        for call in seen.calls:
            call.arguments = json.loads(call.arguments)
        return seen

    def answer(self, history: list[Any], calls: list[Call], results: list[str]) -> None:
        for call, result in zip(calls, results, strict=True):
            history.append({"role": "tool", "tool_call_id": call.id, "content": result})


class Responses:
    """Responses, without the vendor's memory of conversations."""

    shows_thoughts = True
    results = RESULTS

    def __init__(self, place: Place) -> None:
        self._client = _client(place)
        self._model = place.model

    def begin(self, text: str) -> list[Any]:
        return [{"role": "user", "content": text}]

    def look(self) -> list[Any]:
        return [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is it?"},
                    {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "auto"},
                ],
            }
        ]

    def ask(self, history: list[Any], ask: Ask) -> Seen:
        settings: dict[str, Any] = {"instructions": SYSTEM, "store": False}
        if ask.tools:
            tool = {"type": "function", "name": TOOL, "description": DESCRIPTION, "parameters": SCHEMA}
            settings["tools"] = [tool | {"strict": False}]
        if ask.thinks:
            reasoning = {"effort": "low", "summary": "auto"}
            settings |= {"reasoning": reasoning, "include": ["reasoning.encrypted_content"]}
        if ask.schema:
            form = {"type": "json_schema", "name": "forecast", "schema": FORECAST_SCHEMA, "strict": True}
            settings["text"] = {"format": form}
        seen = Seen()
        if ask.stream:
            with self._client.responses.stream(model=self._model, input=history, **settings) as stream:
                for event in stream:
                    if event.type == "response.output_text.delta":
                        seen.piece(event.delta)
                answer = stream.get_final_response()
        else:
            answer = self._client.responses.create(model=self._model, input=history, **settings)
        assert answer.status == "completed", f"the response is {answer.status}"
        if ask.stream:
            assert seen.text == answer.output_text, "the pieces are not the whole"
        seen.text = answer.output_text
        seen.usage = (answer.usage.input_tokens, answer.usage.output_tokens)
        for item in answer.output:
            if item.type == "function_call":
                seen.calls.append(Call(id=item.call_id, name=item.name, arguments=json.loads(item.arguments)))
            elif item.type == "reasoning":
                seen.thought += "".join(part.text for part in item.summary)
        history += [
            item.model_dump(exclude_none=True, exclude={"status", "parsed_arguments"})
            for item in answer.output
        ]
        return seen

    def answer(self, history: list[Any], calls: list[Call], results: list[str]) -> None:
        for call, result in zip(calls, results, strict=True):
            history.append({"type": "function_call_output", "call_id": call.id, "output": result})


def _completions(place: Place) -> None:
    answer = _client(place).completions.create(model=place.model, prompt="once")
    assert answer.choices[0].text == "once!"


def _embeddings(place: Place) -> None:
    client = _client(place).with_options()
    client._strict_response_validation = False  # it does not take the base64 for which the SDK itself asks
    answer = client.embeddings.create(model=place.model, input=["one", "two"])
    assert [each.embedding for each in answer.data] == [[1.0, 2.0]] * 2
    assert answer.usage.prompt_tokens > 0


def _images(place: Place) -> None:
    answer = _client(place).images.generate(model=place.model, prompt="a gate")
    assert answer.data[0].revised_prompt == "a gate"


def _speech(place: Place) -> None:
    answer = _client(place).audio.speech.create(model=place.model, voice="alloy", input="hello")
    assert answer.content == b"\xff\xfb\x90\x64 not text \x00\x01"
    assert answer.response.headers["content-type"] == "audio/mpeg"


def _transcriptions(place: Place) -> None:
    sound = ("a.mp3", b"\xff\xfb\x90\x64 not text \x00\x01", "audio/mpeg")
    assert _client(place).audio.transcriptions.create(model=place.model, file=sound).text == "heard"


def _translations(place: Place) -> None:
    sound = ("a.mp3", b"\xff\xfb\x90\x64 not text \x00\x01", "audio/mpeg")
    assert _client(place).audio.translations.create(model=place.model, file=sound).text == "heard"


def _edits(place: Place) -> None:
    picture = ("a.png", b"\x89PNG\r\n\x1a\n not a picture", "image/png")
    answer = _client(place).images.edit(model=place.model, image=picture, prompt="a gate")
    assert answer.data[0].b64_json == "iVBORw0KGgo="


_LINE = b'{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "gpt-5"}}\n'


def _files(place: Place) -> None:
    """The model's place names who keeps them."""
    files = _client(place).with_options(default_headers={"x-drawbridge-provider": place.model}).files
    kept = files.create(file=("a.jsonl", _LINE), purpose="batch")
    assert files.retrieve(kept.id).bytes == len(_LINE)
    assert files.content(kept.id).read() == _LINE
    assert files.delete(kept.id).deleted


def _batches(place: Place) -> None:
    batches = _client(place).with_options(default_headers={"x-drawbridge-provider": place.model}).batches
    made = batches.create(input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h")
    assert batches.retrieve(made.id).output_file_id == "file-2"


def _moderations(place: Place) -> None:
    assert not _client(place).moderations.create(model=place.model, input="hello").results[0].flagged


def _models(place: Place) -> None:
    assert place.model in {each.id for each in _client(place).models.list()}


if __name__ == "__main__":
    errands.run(
        {"openai chat": Chat, "openai responses": Responses},
        {
            "completions": _completions,
            "embeddings": _embeddings,
            "images": _images,
            "speech": _speech,
            "transcriptions": _transcriptions,
            "translations": _translations,
            "edits": _edits,
            "files": _files,
            "batches": _batches,
            "moderations": _moderations,
            "models": _models,
        },
    )
