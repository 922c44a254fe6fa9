"""Azure AI Content Safety: text:analyze (harm categories, blocklists) and text:shieldPrompt (Prompt Shields).

Source: learn.microsoft.com/azure/ai-services/content-safety: quickstart-text, quickstart-jailbreak, overview.
"""

from __future__ import annotations

import asyncio

from agent.checks import reading
from agent.checks.ports import Http, Keys, Limits, Mark, Piece
from agent.checks.reading import Json
from agent.checks.service import KeyHeader, Service, whole
from agent.model.content import Where
from agent.policy.checks import AzureContentSafetyCheck, AzurePromptShieldsCheck

API_VERSION = "2024-09-01"
ANALYZE = "/contentsafety/text:analyze"
SHIELD = "/contentsafety/text:shieldPrompt"
KEY = KeyHeader(name="Ocp-Apim-Subscription-Key", prefix="")
CATEGORIES = ("Hate", "SelfHarm", "Sexual", "Violence")
MAX_SEVERITY = 6  # of the four levels 0, 2, 4, 6
MAX_CHARS = 10_000  # of a text; of a prompt and its documents together ("10K characters")
MAX_DOCUMENTS = 5
PROMPT_ATTACK, DOCUMENT_ATTACK = "UserPromptAttack", "DocumentAttack"


class ContentSafety:
    """Implements `ports.Adapter` on text:analyze. A finding is about the whole text."""

    limits = Limits(chars=MAX_CHARS)

    def __init__(self, check: AzureContentSafetyCheck, http: Http, keys: Keys) -> None:
        self._service = Service(
            http, keys, f"{check.url}{ANALYZE}?api-version={API_VERSION}", key=check.key, header=KEY
        )
        self._categories = check.categories or CATEGORIES
        self._blocklists = check.blocklists
        self._min_severity = check.min_severity

    async def ask(self, where: Where, pieces: tuple[Piece, ...]) -> tuple[tuple[Mark, ...], ...]:
        """See `ports.Adapter`."""
        del where
        (piece,) = pieces
        document: dict[str, object] = {
            "text": piece.text,
            "categories": list(self._categories),
            "outputType": "FourSeverityLevels",
        }
        if self._blocklists:
            document |= {"blocklistNames": list(self._blocklists), "haltOnBlocklistHit": False}
        answer = reading.json_object(await self._service.ask(document))
        return ((*self._harms(piece, answer), *_blocked(piece, answer)),)

    def _harms(self, piece: Piece, answer: dict[str, Json]) -> list[Mark]:
        marks: list[Mark] = []
        for value in reading.as_list(answer.get("categoriesAnalysis"), "categoriesAnalysis"):
            item = reading.as_object(value, "a category")
            severity = reading.as_whole(item.get("severity"), "severity")
            if not 0 <= severity <= MAX_SEVERITY + 1:
                raise reading.malformed("severity is out of range")
            if severity >= self._min_severity:
                category = reading.as_category(item.get("category"), "category")
                marks.append(whole(piece, category, min(severity / MAX_SEVERITY, 1.0)))
        return marks


def _blocked(piece: Piece, answer: dict[str, Json]) -> list[Mark]:
    return [
        whole(
            piece,
            reading.as_category(reading.as_object(item, "a match").get("blocklistName"), "blocklistName"),
        )
        for item in reading.optional_list(answer.get("blocklistsMatch"), "blocklistsMatch")
    ]


class PromptShields:
    """Implements `ports.Adapter` on text:shieldPrompt: prompts as prompts, tool results as documents."""

    limits = Limits(chars=MAX_CHARS, pieces=MAX_DOCUMENTS, total=MAX_CHARS)

    def __init__(self, check: AzurePromptShieldsCheck, http: Http, keys: Keys) -> None:
        self._service = Service(
            http, keys, f"{check.url}{SHIELD}?api-version={API_VERSION}", key=check.key, header=KEY
        )

    async def ask(self, where: Where, pieces: tuple[Piece, ...]) -> tuple[tuple[Mark, ...], ...]:
        """See `ports.Adapter`."""
        if where is Where.PROMPT:
            return tuple(await asyncio.gather(*(self._prompt(piece) for piece in pieces)))
        answer = reading.json_object(
            await self._service.ask({"userPrompt": "", "documents": [piece.text for piece in pieces]})
        )
        verdicts = reading.as_list(answer.get("documentsAnalysis"), "documentsAnalysis")
        if len(verdicts) != len(pieces):
            raise reading.malformed("documentsAnalysis does not speak of every document")
        return tuple(
            (whole(piece, DOCUMENT_ATTACK),) if _attacked(verdict) else ()
            for piece, verdict in zip(pieces, verdicts, strict=True)
        )

    async def _prompt(self, piece: Piece) -> tuple[Mark, ...]:
        answer = reading.json_object(await self._service.ask({"userPrompt": piece.text, "documents": []}))
        return (whole(piece, PROMPT_ATTACK),) if _attacked(answer.get("userPromptAnalysis")) else ()


def _attacked(verdict: Json) -> bool:
    return reading.as_flag(reading.as_object(verdict, "an analysis").get("attackDetected"), "attackDetected")
