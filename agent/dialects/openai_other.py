"""What OpenAI's API and those that speak like it ask and answer besides chat: completions, embeddings, pictures, films,
sound, moderation, and Mistral's reading of documents.

Owns the fields of those documents and the events of their streams; `openai_chat` hands on what is no chat's. Source:
the OpenAI API reference ("Completions", "Embeddings", "Images", "Audio", "Videos", "Moderations"), Mistral's ("FIM",
"OCR") and the completion requests of GitHub Copilot's language server.
"""

from __future__ import annotations

from agent.dialects.base import EventView
from agent.dialects.moulds import delta_view, new_slot, text_delta
from agent.dialects.shapes import mapping, most, objects, string
from agent.dialects.slots import Collector
from agent.model.content import NO_USAGE, Address, Role, Usage

TEXTS = frozenset(("prompt", "suffix", "instructions"))
"""Fields that are one text, or a list of texts."""
_DELTA: Address = (("delta",),)
_TRANSCRIPT = "transcript"


def read_field(found: Collector, key: str, value: object) -> None:
    """One field of a request that no chat has."""
    match key:
        case "input":  # texts, parts, or the conversations that Mistral moderates
            _read_input(found, value)
        case "extra":  # what an editor adds to the text before the cursor
            found.leaves((key,), Role.USER, value)
        case "document":  # to be read: named by an address, or in a `data:` URL
            document = mapping(value)
            for name, kind in (("document_url", "document"), ("image_url", "image")):
                url = document.get(name)
                if url is not None:
                    found.attach_url(
                        kind,
                        url if isinstance(url, str) else mapping(url).get("url"),
                        name=document.get("document_name"),
                    )
        case "image" | "images" | "input_reference" | "mask":
            _read_picture(found, value)
        case _ if key in TEXTS:
            found.prose((key,), Role.USER, value)


def read_answer(found: Collector, document: dict[str, object]) -> None:
    """What an answer says that is no chat's: a transcription, the prompt as it was written anew, pages read."""
    for key in ("text", "segments"):
        found.prose((key,), Role.ASSISTANT, document.get(key))
    for index, made in objects(document.get("data")):
        found.text(("data", index, "revised_prompt"), Role.ASSISTANT, made.get("revised_prompt"))
    for index, page in objects(document.get("pages")):
        found.text(("pages", index, "markdown"), Role.ASSISTANT, page.get("markdown"))


def read_event(chunk: dict[str, object], usage: Usage = NO_USAGE) -> EventView | None:
    """What an event means that has a `type`, as those of sounds and pictures have; None for any other."""
    kind = string(chunk.get("type"))
    match kind:
        case "transcript.text.delta":
            text = chunk.get("delta")
            if not isinstance(text, str) or not text:
                return EventView()
            return delta_view((text_delta(_TRANSCRIPT, new_slot(_DELTA, Role.ASSISTANT, text)),))
        case "transcript.text.done" | "transcript.text.segment":
            found = Collector()
            found.text(("text",), Role.ASSISTANT, chunk.get("text"))
            final = kind.endswith("done")
            return EventView(
                repeats=tuple(found.slots),
                closes=(_TRANSCRIPT,) if final else (),
                usage=usage,
                final=final,
            )
        case "speech.audio.delta" | "image_generation.partial_image" | "image_edit.partial_image":
            return EventView()
        case "speech.audio.done" | "image_generation.completed" | "image_edit.completed":
            return EventView(usage=usage, final=True)
    return None


def _read_input(found: Collector, value: object) -> None:
    if not isinstance(value, list):
        found.prose(("input",), Role.USER, value)
        return
    for index, part in enumerate(value):
        match part:
            case {"type": "image_url", "image_url": url}:
                found.attach_url("image", url if isinstance(url, str) else mapping(url).get("url"))
            case _:
                found.prose(("input", index), Role.USER, part)


def _read_picture(found: Collector, value: object) -> None:
    """One picture or several, as URLs or by their ids."""
    for one in value if isinstance(value, list) else [value]:
        url = one if isinstance(one, str) else mapping(one).get("image_url")
        if isinstance(url, str):
            found.attach_url("image", url)
        elif isinstance(one, dict):
            found.attach("image", name=one.get("file_id"))


def most_tokens(document: dict[str, object]) -> int | None:
    """`max_tokens` is the older name, which compatible servers know."""
    newer = most(document.get("max_completion_tokens"))
    return most(document.get("max_tokens")) if newer is None else newer


def answers(document: dict[str, object]) -> int:
    """How many are to be made: `n`, or `best_of` of which `n` are shown, for each of the prompts of a completion."""
    each = max(1, most(document.get("n")) or 1, most(document.get("best_of")) or 1)
    prompts = document.get("prompt")
    several = isinstance(prompts, list) and not all(isinstance(part, int) for part in prompts)
    return each * max(1, len(prompts)) if several and isinstance(prompts, list) else each


def deployment(path: str) -> str:
    """The model of an Azure deployment's path, `/openai/deployments/{name}/chat/completions`, or of a Copilot engine's,
    `/v1/engines/{name}/completions`."""
    for collection in ("/deployments/", "/engines/"):
        _, found, rest = path.partition(collection)
        if found:
            return rest.partition("/")[0]
    return ""
