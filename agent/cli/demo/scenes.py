"""What the demo tries on intercepted connections. Each says what happened, and what of it was not as promised."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import httpx

from agent.cli.demo import specimens
from agent.cli.demo.clients import Saw
from agent.cli.demo.recorder import Received, Recorder
from agent.cli.demo.results import Seen, Step
from agent.gateway.echo.service import Origin

CODENAME = "Project Nightjar"
"""What the demo's own rule blocks."""

_OPENAI = "openai"
_ANTHROPIC = "anthropic"
_NOTHING = "nothing"
_MARK = "[REDACTED:"
_MAX_ERROR = 300  # characters


class Programs(Protocol):
    """The programs that ask models; see `Clients`."""

    async def ask_openai(self, prompt: str) -> Saw:
        """One chat completion."""
        ...

    async def stream_openai(self, prompt: str) -> Saw:
        """One streamed chat completion."""
        ...

    async def stream_anthropic(self, prompt: str) -> Saw:
        """One streamed message."""
        ...

    async def return_tool_result(self, prompt: str, *, command: str, result: str) -> Saw:
        """A message in which a tool, called by the model for `prompt`, gives its result back."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who takes part. `plain` is an HTTPS client that trusts the provider's certificate and not the agent's."""

    programs: Programs
    providers: Recorder
    bank: Recorder
    bank_origin: Origin
    plain: httpx.AsyncClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One thing to try. `decision` is what the audit trail must say of it; empty: it must not know of it.
    It must say so of each of its `exchanges`."""

    id: str
    title: str
    program: str
    decision: str
    act: Callable[[Cast], Awaitable[Seen]]
    exchanges: int = 1

    async def play(self, cast: Cast) -> Step:
        """Try it. What it raises is a scene that failed."""
        try:
            seen = await self.act(cast)
        except Exception as error:
            seen = Seen(problem=f"{type(error).__name__}: {error}"[:_MAX_ERROR])
        return Step(
            id=self.id,
            title=self.title,
            program=self.program,
            decision=self.decision,
            exchanges=self.exchanges,
            seen=seen,
        )


async def allowed(cast: Cast) -> Seen:
    """A harmless question passes unchanged."""
    prompt = "What is the capital of France?"
    saw, got = await _observed(cast, cast.programs.ask_openai(prompt))
    return Seen(
        tried=prompt,
        client_saw=saw.error or saw.text,
        provider_received=said(got),
        problem=first_wrong(
            (saw.text == f"You said: {prompt}", "the answer is not the provider's"),
            (said(got) == prompt, "the prompt did not arrive as it was written"),
        ),
    )


async def allowed_streamed(cast: Cast) -> Seen:
    """The same as a stream: it stays one."""
    prompt = "Name three rivers."
    saw, got = await _observed(cast, cast.programs.stream_anthropic(prompt))
    return Seen(
        tried=prompt,
        client_saw=f"{saw.text} (in {saw.pieces} pieces)",
        provider_received=said(got),
        problem=first_wrong(
            (saw.text == f"You said: {prompt}", "the answer is not the provider's"),
            (saw.pieces > 1, "the stream arrived in one piece"),
            (said(got) == prompt, "the prompt did not arrive as it was written"),
        ),
    )


async def secret_redacted(cast: Cast) -> Seen:
    """A key in a prompt does not leave the machine."""
    secret = specimens.model_key()
    return await _redacted_prompt(cast, secret, f"Why is {secret} refused?")


async def card_redacted(cast: Cast) -> Seen:
    """Nor does a card number."""
    card = specimens.card_number()
    return await _redacted_prompt(cast, card, f"Refund the card {card}.")


async def blocked(cast: Cast) -> Seen:
    """A forbidden prompt is refused in the SDK's own terms, once, and reaches nobody."""
    prompt = f"Summarise the plan of {CODENAME}."
    saw, got = await _observed(cast, cast.programs.ask_openai(prompt))
    retried = "not retried" if saw.sent == 1 else f"sent {saw.sent} times"
    return Seen(
        tried=prompt,
        client_saw=f"{saw.error} ({retried})" if saw.error else saw.text,
        provider_received=said(got) or _NOTHING,
        problem=first_wrong(
            (bool(saw.error), "the client was answered as if nothing were wrong"),
            ("policy" in saw.error and "Ref" in saw.error, "the client did not see the policy's message"),
            (saw.sent == 1, f"the SDK tried {saw.sent} times"),
            (not got, "the request reached the provider"),
        ),
    )


async def tool_result_redacted(cast: Cast) -> Seen:
    """What a tool found is looked at like what a person wrote."""
    secret = specimens.repository_token()
    result = f"region: eu-west-1\ntoken: {secret}\n"
    call = cast.programs.return_tool_result("Which region?", command="cat deploy.yaml", result=result)
    saw, got = await _observed(cast, call)
    return Seen(
        tried=_clipped(result, secret),
        client_saw=_clipped(saw.error or saw.text, secret),
        provider_received=_clipped(said(got), secret),
        problem=first_wrong(
            (len(got) == 1, "the request did not reach the provider"),
            (not any(each.holds(secret) for each in got), "the token reached the provider"),
            (_MARK in said(got) and "eu-west-1" in said(got), "more or less than the token was replaced"),
            (saw.text == f"The tool said: {said(got)}", "the answer is not the provider's"),
        ),
    )


async def streamed_answer_redacted(cast: Cast) -> Seen:
    """A secret in an answer is stopped though no piece of the stream holds all of it."""
    secret = specimens.model_key()
    spoken = f"Use {secret} for that."
    prompt = f"reverse: {spoken[::-1]}"
    saw, got = await _observed(cast, cast.programs.stream_openai(prompt))
    pieces = got[0].streamed if got else ()
    return Seen(
        tried=f"{_clipped(spoken, secret)} (streamed in {len(pieces)} pieces)",
        client_saw=_clipped(saw.error or saw.text, secret),
        provider_received="the key written backwards: only the answer holds it",
        problem=first_wrong(
            (said(got) == prompt, "the prompt did not arrive as it was written"),
            ("".join(pieces) == spoken, "the provider did not answer with the key"),
            (max(map(len, pieces), default=0) < len(secret), "one piece held the whole key"),
            (secret not in saw.text, "the key reached the client"),
            (saw.text.startswith("Use " + _MARK), "the key was not replaced by a mark"),
            (saw.text.endswith("] for that."), "more than the key was replaced"),
        ),
    )


async def tunnelled(cast: Cast) -> Seen:
    """A host that is no AI service is none of our business: its own certificate reaches the client."""
    origin = cast.bank_origin
    before = len(cast.bank.requests)
    async with cast.plain.stream("GET", f"https://{origin.host}/") as response:
        tls = response.extensions["network_stream"].get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True)
        await response.aread()
    came = len(cast.bank.requests) - before
    shown = hashlib.sha256(certificate).digest()
    return Seen(
        tried=f"https://{origin.host}/",
        client_saw=f"the host's own certificate ({shown.hex(':').upper()[:11]}…)",
        provider_received=f"{came} request, unread by Drawbridge",
        problem=first_wrong(
            (shown == origin.sha256, "the certificate is not the host's own"),
            (response.status_code == 200 and came == 1, "the request did not reach the host"),
        ),
    )


SCENES = (
    Scene(id="allowed", title="a harmless prompt", program=_OPENAI, decision="allow", act=allowed),
    Scene(
        id="allowed-streamed",
        title="another, streamed",
        program=_ANTHROPIC,
        decision="allow",
        act=allowed_streamed,
    ),
    Scene(
        id="secret-redacted",
        title="an API key",
        program=_OPENAI,
        decision="redact",
        act=secret_redacted,
    ),
    Scene(
        id="card-redacted",
        title="a card number",
        program=_OPENAI,
        decision="redact",
        act=card_redacted,
    ),
    Scene(
        id="blocked",
        title="a secret project",
        program=_OPENAI,
        decision="block",
        act=blocked,
    ),
    Scene(
        id="tool-result-redacted",
        title="a token a tool found",
        program=_ANTHROPIC,
        decision="redact",
        act=tool_result_redacted,
    ),
    Scene(
        id="streamed-answer-redacted",
        title="a key in the answer",
        program=_OPENAI,
        decision="redact",
        act=streamed_answer_redacted,
    ),
    Scene(
        id="tunnelled",
        title="a bank's web site",
        program="https",
        decision="",
        act=tunnelled,
    ),
)
"""In the order in which they are played."""


async def _redacted_prompt(cast: Cast, value: str, prompt: str) -> Seen:
    """A prompt of which one value is replaced, and nothing else."""
    saw, got = await _observed(cast, cast.programs.ask_openai(prompt))
    before, _, after = prompt.partition(value)
    return Seen(
        tried=_clipped(prompt, value),
        client_saw=_clipped(saw.error or saw.text, value),
        provider_received=_clipped(said(got), value),
        problem=first_wrong(
            (len(got) == 1, "the request did not reach the provider"),
            (not any(each.holds(value) for each in got), "the value reached the provider"),
            (said(got).startswith(before + _MARK), "the value was not replaced by a mark"),
            (said(got).endswith("]" + after), "more than the value was replaced"),
            (saw.text == f"You said: {said(got)}", "the answer is not the provider's"),
        ),
    )


async def _observed(cast: Cast, call: Awaitable[Saw]) -> tuple[Saw, list[Received]]:
    """What the client saw, and what reached the provider meanwhile."""
    before = len(cast.providers.requests)
    saw = await call
    return saw, cast.providers.requests[before:]


def said(got: list[Received]) -> str:
    """What the last of these requests says."""
    return got[-1].said if got else ""


def first_wrong(*claims: tuple[bool, str]) -> str:
    """What is wrong first, of claims with what to say where they do not hold."""
    return next((otherwise for holds, otherwise in claims if not holds), "")


def _clipped(text: str, value: str) -> str:
    """`text` with a long `value` in it shortened, for people; the checks are made on the whole."""
    return text.replace(value, f"{value[:11]}…{value[-2:]}").strip()
