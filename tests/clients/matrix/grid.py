"""What is tried: clients, providers, ways, and what cannot work."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.fakes.vendors import ACCESS_KEY, KEYS

WAYS = ("whole", "stream", "tools", "streamed tools", "thinking", "schema", "picture", "error")
"""See `tests/clients/sdks/errands.py`."""

ITSELF = "vendor"
"""The column of the clients at their own vendor's stand-in: whatever fails there, it is not the gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRow:
    """A client: the program in `sdks` that has it, and how it is used at its own vendor."""

    name: str
    program: str
    key: str
    model: str
    gateway: bool = True  # whether the gateway speaks its format


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderColumn:
    """A provider of the policy; `model` is what clients ask the gateway for."""

    format: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One thing that is tried. `provider` is a format, or ITSELF."""

    client: str
    provider: str
    way: str

    def __str__(self) -> str:
        return f"{self.client}-{self.provider}-{self.way}".replace(" ", "_")


_AWS = f"{ACCESS_KEY['AccessKeyId']}:{ACCESS_KEY['SecretAccessKey']}"
_CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"

CLIENTS: Mapping[str, ClientRow] = {
    row.name: row
    for row in (
        ClientRow(name="openai chat", program="openai_sdk", key=KEYS["openai"], model="gpt-5"),
        ClientRow(name="openai responses", program="openai_sdk", key=KEYS["openai"], model="gpt-5"),
        ClientRow(
            name="anthropic", program="anthropic_sdk", key=KEYS["anthropic"], model="claude-sonnet-4-5"
        ),
        ClientRow(name="google-genai", program="genai_sdk", key=KEYS["gemini"], model="gemini-3-pro-preview"),
        ClientRow(name="cohere", program="cohere_sdk", key=KEYS["cohere"], model="command-a-03-2025"),
        ClientRow(name="boto3 converse", program="boto_sdk", key=_AWS, model=_CLAUDE),
        ClientRow(name="litellm openai", program="litellm_sdk", key=KEYS["openai"], model="gpt-5"),
        ClientRow(name="litellm responses", program="litellm_sdk", key=KEYS["openai"], model="gpt-5"),
        ClientRow(
            name="litellm anthropic", program="litellm_sdk", key=KEYS["anthropic"], model="claude-sonnet-4-5"
        ),
        ClientRow(
            name="litellm gemini", program="litellm_sdk", key=KEYS["gemini"], model="gemini-3-pro-preview"
        ),
        ClientRow(name="langchain ChatOpenAI", program="langchain_sdk", key=KEYS["openai"], model="gpt-5"),
        ClientRow(
            name="langchain ChatOpenAI, Responses",
            program="langchain_sdk",
            key=KEYS["openai"],
            model="gpt-5",
        ),
        ClientRow(
            name="langchain ChatAnthropic",
            program="langchain_sdk",
            key=KEYS["anthropic"],
            model="claude-sonnet-4-5",
        ),
        ClientRow(
            name="langchain ChatGoogle",
            program="langchain_sdk",
            key=KEYS["gemini"],
            model="gemini-3-pro-preview",
        ),
    )
}

PROVIDERS: Mapping[str, ProviderColumn] = {
    column.format: column
    for column in (
        ProviderColumn(format="openai-chat", model="compatible/large"),
        ProviderColumn(format="openai-responses", model="openai/gpt-5-pro"),
        ProviderColumn(format="anthropic-messages", model="anthropic/claude-sonnet-4-5"),
        ProviderColumn(format="gemini-generate-content", model="gemini/gemini-3-pro-preview"),
        ProviderColumn(format="bedrock-converse", model=f"bedrock/{_CLAUDE}"),
        ProviderColumn(format="cohere-chat", model="cohere/command-a-reasoning-08-2025"),
    )
}

OTHERS: Mapping[str, tuple[str, str]] = {  # by operation: the program, the model
    "completions": ("openai_sdk", "compatible/davinci"),
    "embeddings": ("openai_sdk", "openai/text-embedding-3-small"),
    "images": ("openai_sdk", "openai/gpt-image-1"),
    "speech": ("openai_sdk", "openai/tts-1"),
    "transcriptions": ("openai_sdk", "openai/whisper-1"),
    "translations": ("openai_sdk", "openai/whisper-1"),
    "edits": ("openai_sdk", "openai/gpt-image-1"),
    "files": ("openai_sdk", "openai"),
    "batches": ("openai_sdk", "openai"),
    "moderations": ("openai_sdk", "openai/omni-moderation-latest"),
    "models": ("openai_sdk", "openai/gpt-4.1"),
}
"""What does not translate: it passes to a provider that speaks the client's format."""

COUNTS: Mapping[str, tuple[str, str]] = {
    "count_tokens anthropic": ("anthropic_sdk", "anthropic/claude-sonnet-4-5"),
    "count_tokens gemini": ("genai_sdk", "gemini/gemini-2.5-flash"),
}

KNOWN: Mapping[Cell, str] = {}
"""What cannot work, and why."""

_UNABLE_TO_ASK = frozenset({"openai chat", "litellm openai", "cohere", "boto3 converse"})
_SHOWN_WHEN_ASKED = frozenset({"openai-responses", "gemini-generate-content"})


def shows_thoughts(cell: Cell) -> bool:
    """Whether the client is to read what the model thought: in some formats it cannot ask for it, and some providers
    show it to those who ask. That the model thinks, and goes on from there after its calls, is tried all the same."""
    return cell.client not in _UNABLE_TO_ASK or cell.provider not in _SHOWN_WHEN_ASKED


POLICY = """\
schema_version: 1
id: matrix
providers:
  compatible: {{uses: openai-compatible, base_url: "{url}/v1", key: "env:VENDOR_OPENAI"}}
  openai: {{base_url: "{url}", key: "env:VENDOR_OPENAI"}}
  anthropic: {{base_url: "{url}", key: "env:VENDOR_ANTHROPIC"}}
  gemini: {{base_url: "{url}", key: "env:VENDOR_GEMINI"}}
  cohere: {{base_url: "{url}", key: "env:VENDOR_COHERE"}}
  bedrock: {{base_url: "{url}", key: "env:VENDOR_AWS", parameters: {{region: eu-central-1}}}}
"""

ENVIRONMENT = {f"VENDOR_{name.upper()}": key for name, key in KEYS.items()} | {
    "VENDOR_AWS": json.dumps(ACCESS_KEY)
}
"""Where the policy finds the keys."""


def cells() -> Iterator[Cell]:
    """The whole grid."""
    for client in CLIENTS.values():
        for provider in (ITSELF, *(PROVIDERS if client.gateway else ())):
            for way in WAYS:
                yield Cell(client=client.name, provider=provider, way=way)
