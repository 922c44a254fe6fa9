"""AWS Bedrock Guardrails: ApplyGuardrail of bedrock-runtime.

Source: docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ApplyGuardrail.html, and botocore's service model.
The service says what it found, not where: the text it found is looked up in what was sent. Masked text that it
returns (`outputs`) is not used.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import orjson

from agent.checks import reading
from agent.checks.aws import AwsAuthorization
from agent.checks.ports import CheckError, Failure, Http, Keys, Limits, Mark, Piece
from agent.checks.reading import Json
from agent.checks.service import occurrences, whole
from agent.model.content import Where
from agent.policy.checks import BedrockCheck

HOST = "https://bedrock-runtime.{region}.amazonaws.com"
PATH = "/guardrail/{guardrail}/version/{version}/apply"
MAX_CHARS = 20_000  # 25 text units of 1,000 characters is the documented most of a call
INTERVENED = "GUARDRAIL_INTERVENED"
_LISTS = (  # where assessments hold findings: policy, list, the field that names the category, a name without one
    ("topicPolicy", "topics", "name", "TOPIC"),
    ("contentPolicy", "filters", "type", "CONTENT"),
    ("wordPolicy", "customWords", "", "WORD"),
    ("wordPolicy", "managedWordLists", "type", "WORD"),
    ("sensitiveInformationPolicy", "piiEntities", "type", "PII"),
    ("sensitiveInformationPolicy", "regexes", "name", "REGEX"),
    ("contextualGroundingPolicy", "filters", "type", "GROUNDING"),
)
_SCORES = {"LOW": 0.33, "MEDIUM": 0.66, "HIGH": 1.0}
_ACTIONS = ("NONE", "BLOCKED", "ANONYMIZED")


class Bedrock:
    """Implements `ports.Adapter`."""

    limits = Limits(chars=MAX_CHARS)

    def __init__(self, check: BedrockCheck, http: Http, keys: Keys, *, clock: Callable[[], float]) -> None:
        """`clock` is monotonic, in seconds."""
        base = check.url or HOST.format(region=check.region)
        path = PATH.format(guardrail=quote(check.guardrail, safe=""), version=check.version)
        self._url = base + path
        self._http = http
        self._authorization = AwsAuthorization(check, keys, clock=clock)

    async def ask(self, where: Where, pieces: tuple[Piece, ...]) -> tuple[tuple[Mark, ...], ...]:
        """See `ports.Adapter`."""
        (piece,) = pieces
        body = orjson.dumps(
            {
                "source": "OUTPUT" if where is Where.ANSWER else "INPUT",
                "content": [{"text": {"text": piece.text}}],
            }
        )
        fields = {"Content-Type": "application/json"}
        headers = await self._authorization.headers(self._url, fields, body)
        answer = await self._http.post(self._url, headers, body)
        if answer.status in (401, 403):
            self._authorization.refused()
            raise CheckError(Failure.CREDENTIALS, f"status {answer.status}")
        return (_marks(piece, reading.json_object(answer)),)


def _marks(piece: Piece, answer: dict[str, Json]) -> tuple[Mark, ...]:
    action = reading.as_text(answer.get("action"), "action")
    if action not in ("NONE", INTERVENED):
        raise reading.malformed("action is none that is known")
    marks: dict[Mark, None] = {}
    for value in reading.as_list(answer.get("assessments"), "assessments"):
        assessment = reading.as_object(value, "an assessment")
        for policy, name, field, fallback in _LISTS:
            section = assessment.get(policy)
            if section is None:
                continue
            items = reading.optional_list(reading.as_object(section, policy).get(name), name)
            for item in items:
                marks.update(dict.fromkeys(_found(piece, reading.as_object(item, name), field, fallback)))
    if not marks and action == INTERVENED:  # for a reason that is none of the above
        return (whole(piece, INTERVENED),)
    return tuple(marks)


def _found(piece: Piece, item: dict[str, Json], field: str, fallback: str) -> tuple[Mark, ...]:
    """A finding counts also where the guardrail at AWS only detects: what is done is decided here."""
    action = reading.as_text(item.get("action"), "action")
    if action not in _ACTIONS:
        raise reading.malformed("an action is none that is known")
    if action == "NONE" and item.get("detected") is not True:
        return ()
    name = item.get(field) if field else None
    category = fallback if name is None else reading.as_category(name, field)
    score = _SCORES.get(str(item.get("confidence")), 1.0)
    match = item.get("match")
    if match is None:
        return (whole(piece, category, score),)
    return occurrences(piece, reading.as_text(match, "match"), category, score)
