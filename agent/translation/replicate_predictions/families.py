"""What language models on Replicate call the same things: each model defines its own input, families share theirs.

Source: the input schemas ("API" pages) of the models, by owner. A model of another owner is asked with the
names that most have; a field without a name here is none that the family takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The names of a family's inputs.

    `system` empty: what the system says stands before the prompt. `images`: the field for pictures, `many_images`
    whether it is a list. `sampling`: from `conversation.Sampling` to the family's names.
    """

    system: str = ""
    limit: str = "max_tokens"
    images: str = ""
    many_images: bool = False
    stop: str = ""  # texts joined by commas
    effort: str = ""
    sampling: Mapping[str, str]


_USUAL = MappingProxyType({"temperature": "temperature", "top_p": "top_p"})
_OPEN = MappingProxyType(
    {
        **_USUAL,
        "top_k": "top_k",
        "presence_penalty": "presence_penalty",
        "frequency_penalty": "frequency_penalty",
        "seed": "seed",
    }
)
_PENALISED = MappingProxyType(
    {**_USUAL, "presence_penalty": "presence_penalty", "frequency_penalty": "frequency_penalty"}
)

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "meta": Family(system="system_prompt", stop="stop_sequences", sampling=_OPEN),
        "mistralai": Family(system="system_prompt", stop="stop_sequences", sampling=_OPEN),
        "ibm-granite": Family(system="system_prompt", stop="stop", sampling=_OPEN),
        "anthropic": Family(system="system_prompt", images="image", sampling=MappingProxyType({})),
        "openai": Family(
            system="system_prompt",
            limit="max_completion_tokens",
            images="image_input",
            many_images=True,
            effort="reasoning_effort",
            sampling=_PENALISED,
        ),
        "google": Family(
            system="system_instruction",
            limit="max_output_tokens",
            images="images",
            many_images=True,
            sampling=_USUAL,
        ),
        "deepseek-ai": Family(sampling=_PENALISED),
    }
)
"""By the owner of the model."""

OTHERS = Family(system="system_prompt", sampling=_USUAL)


def family_of(model: str) -> Family:
    """The family of `owner/name` or `owner/name:version`."""
    return FAMILIES.get(model.partition("/")[0].lower(), OTHERS)
