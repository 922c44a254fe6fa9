"""Tries a provider with one tiny request for each of its keys, and says what to mend (`drawbridge providers check`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from agent.credentials import Credentials, call_for
from agent.credentials.google import Fetched
from agent.errors import ConfigError, DrawbridgeError
from agent.gateway.small_requests import SmallRequests
from agent.model.references import shown
from agent.routing.configured import ConfiguredProvider
from agent.routing.probe import first_model, probe, said


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How one key of one provider fared. `status` is that of HTTP, 0 where there was no answer."""

    provider: str
    key: str
    model: str = ""
    dialect: str = ""
    status: int = 0
    milliseconds: int = 0
    problem: str = ""
    hint: str = ""

    @property
    def ok(self) -> bool:
        """Whether requests can be sent there."""
        return not self.problem


class ProviderCheck:
    """Asks providers over the same transport as all traffic, with the same credentials."""

    def __init__(
        self, requests: SmallRequests, credentials: Credentials, *, clock: Callable[[], float]
    ) -> None:
        """`clock` is monotonic, in seconds."""
        self._requests = requests
        self._credentials = credentials
        self._clock = clock

    async def check(self, provider: ConfiguredProvider, model: str = "") -> tuple[Checked, ...]:
        """One result for each key, all tried at once. `model` is the provider's name for the one to ask; without it,
        one that the policy lists, a small one of the catalog's, or the first that the provider lists itself."""
        references = [(key.name, key.key) for key in provider.keys] or [("", "")]
        tried = (self._tried(provider, name, reference, model) for name, reference in references)
        return tuple(await asyncio.gather(*tried))

    async def _tried(self, provider: ConfiguredProvider, name: str, reference: str, model: str) -> Checked:
        try:
            chosen = model or await self._model(provider, reference)
            spoken = provider.speaks(chosen)[0]
            url = provider.url(spoken, "chat", chosen)
            body = provider.body(spoken, probe(spoken.dialect, chosen, provider.row.quirks))
            begun = self._clock()
            answer = await self._ask(provider, reference, "POST", url, body)
        except DrawbridgeError as error:
            return Checked(provider=provider.id, key=name, model=model, problem=str(error), hint=error.hint())
        problem, hint = _diagnosis(provider, reference, answer)
        return Checked(
            provider=provider.id,
            key=name,
            model=chosen,
            dialect=spoken.dialect,
            status=answer.status,
            milliseconds=round((self._clock() - begun) * 1000),
            problem=problem,
            hint=hint,
        )

    async def _model(self, provider: ConfiguredProvider, reference: str) -> str:
        if provider.settings.models:
            return next(iter(provider.settings.models.values()))
        if provider.row.small_model:
            return provider.row.small_model
        if provider.models_url:
            answer = await self._ask(provider, reference, "GET", provider.models_url, b"")
            if answer.status == 200 and (found := first_model(answer.body)):
                return found
        raise ConfigError(
            f"which model of {provider.id} to ask is not known",
            hint="Name one with --model, or list it in the policy.",
        )

    async def _ask(
        self, provider: ConfiguredProvider, reference: str, method: str, url: str, body: bytes
    ) -> Fetched:
        call = call_for(provider, reference, url=url, body=body, method=method)
        fields = (*provider.headers, *await self._credentials.headers(call))
        if body:
            fields = ((b"content-type", b"application/json"), *fields)
        return await self._requests.send(method, url, fields, body)


def _diagnosis(provider: ConfiguredProvider, reference: str, answer: Fetched) -> tuple[str, str]:
    """What went wrong and how to mend it; nothing where nothing did."""
    told = said(answer.body)
    key = shown(reference) if reference else "a key"
    match answer.status:
        case 200 | 201 | 202:  # those after the first took the job
            return "", ""
        case 401 | 403:  # what it says may quote the key
            return (
                "the key was refused",
                f"Check {key}, and that it may use this model; auth: in the policy says how it is shown.",
            )
        case 402:
            return "the account has no credit", "Top it up at the provider."
        case 404:
            return (
                f"no such model or path: {told}".rstrip(": "),
                f"Name a model with --model; if {provider.origin} is not its address, mend base_url.",
            )
        case 429:
            return (
                "too many requests, or no quota left",
                "The key works; wait, or raise the limit at the provider.",
            )
        case status if 300 <= status < 400:
            return "it redirects, which is never followed", "Give the address that it leads to as base_url."
        case status if status >= 500:
            return f"the provider failed: {told}".rstrip(": "), "Try again in a while."
        case _:
            return f"the request was refused: {told}".rstrip(
                ": "
            ), f"Check {key}, or name another model with --model."
