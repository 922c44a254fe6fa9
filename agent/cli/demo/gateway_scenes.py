"""What the demo tries at the gateway's base URL: one API over every provider, failover, a budget, the cache.

The providers are asked under their real names; only their addresses lead to this machine.
"""

from __future__ import annotations

from typing import Protocol

from agent.cli.demo.gateway_clients import Told
from agent.cli.demo.recorder import Recorder
from agent.cli.demo.results import Seen
from agent.cli.demo.scenes import Cast, Scene, first_wrong, said

DEPENDABLE = "dependable"
"""A name of the demo's policy for a model: the first provider behind it is down."""
INTERN_TOKENS = 200
"""A day's budget of the intern's key: enough for one answer, not for two."""

_CLAUDE = "anthropic/claude-sonnet-4-5"
_GPT = "openai/gpt-5"
_RIVERS = "Name three rivers of Bavaria."
_ANSWER_TOKENS = 140


class GatewayPrograms(Protocol):
    """The programs that use the base URL; see `GatewayClients`."""

    async def ask_openai(self, model: str, prompt: str) -> Told:
        """One chat completion."""
        ...

    async def stream_openai(self, model: str, prompt: str) -> Told:
        """One streamed chat completion."""
        ...

    async def ask_anthropic(self, model: str, prompt: str, *, max_tokens: int) -> Told:
        """One message."""
        ...

    async def tokens_left(self) -> tuple[int, int]:
        """What is used of the key's budget, and the budget."""
        ...


class GatewayScenes:
    """The scenes. `down` is what reached the provider that is down."""

    def __init__(self, programs: GatewayPrograms, down: Recorder) -> None:
        self._programs = programs
        self._down = down

    def scenes(self) -> tuple[Scene, ...]:
        """In the order in which they are played: the last one asks what the first one asked."""
        return (
            Scene(
                id="one-api",
                title="one API",
                program="openai",
                decision="allow",
                act=self.one_api,
            ),
            Scene(
                id="failover",
                title="a provider is down",
                program="openai",
                decision="allow",
                act=self.failover,
            ),
            Scene(
                id="budget",
                title="a budget",
                program="anthropic",
                decision="allow",
                exchanges=3,
                act=self.budget,
            ),
            Scene(
                id="cache",
                title="the same again",
                program="openai",
                decision="allow",
                act=self.cached,
            ),
        )

    async def one_api(self, cast: Cast) -> Seen:
        """OpenAI's SDK asks a model of Anthropic's, which gets a request and gives a stream in Anthropic's format."""
        before = len(cast.providers.requests)
        told = await self._programs.stream_openai(_CLAUDE, _RIVERS)
        got = cast.providers.requests[before:]
        way = [(each.host, each.path) for each in got]
        return Seen(
            tried=f"{_RIVERS} (of {_CLAUDE}, streamed)",
            client_saw=f"{told.text} (OpenAI's chunks, {told.pieces} pieces)",
            provider_received=f"POST {got[-1].path}: {said(got)}" if got else "nothing",
            problem=first_wrong(
                (way == [("api.anthropic.com", "/v1/messages")], "it was not asked in Anthropic's format"),
                (said(got) == _RIVERS, "the prompt did not arrive as it was written"),
                (told.text == f"You said: {_RIVERS}", "the answer is not the provider's"),
                (told.pieces > 1, "the stream arrived in one piece"),
                (told.provider == "anthropic", "the headers do not name the provider"),
            ),
        )

    async def failover(self, cast: Cast) -> Seen:
        """The first provider has no room; the second answers, and the client notices nothing."""
        prompt = "Are you there?"
        before, failed = len(cast.providers.requests), len(self._down.requests)
        told = await self._programs.ask_openai(DEPENDABLE, prompt)
        got = cast.providers.requests[before:]
        tries = len(self._down.requests) - failed
        refusals = ", ".join(["503"] * tries) or "not asked"
        return Seen(
            tried=f"{prompt} (of “{DEPENDABLE}”: Mistral, else OpenAI)",
            client_saw=f"{told.text} ({told.provider}, attempt {told.attempts})",
            provider_received=f"Mistral: {refusals}\nOpenAI: {said(got) or 'nothing'}",
            problem=first_wrong(
                (tries > 0, "the first provider was not asked"),
                ([each.host for each in got] == ["api.openai.com"], "the second provider was not asked once"),
                (told.text == f"You said: {prompt}", "the answer is not the second provider's"),
                (told.attempts == tries + 1, "the headers tell of another number of attempts"),
                (told.provider == "openai", "the headers name another provider"),
            ),
        )

    async def budget(self, cast: Cast) -> Seen:
        """A key with a budget: an answer, then a refusal in the client's own terms that reaches nobody."""
        prompt = "Explain compound interest to a child of five, in one sentence."
        before = len(cast.providers.requests)
        first = await self._programs.ask_anthropic(_GPT, prompt, max_tokens=_ANSWER_TOKENS)
        second = await self._programs.ask_anthropic(_GPT, f"{prompt} Now two.", max_tokens=_ANSWER_TOKENS)
        used, limit = await self._programs.tokens_left()
        got = cast.providers.requests[before:]
        return Seen(
            tried=f"{prompt} (of {_GPT}; twice, with a key for {INTERN_TOKENS} tokens a day)",
            client_saw=f"an answer, then {second.error} (status {second.status})",
            provider_received=f"the first only; {used} of {limit} tokens used",
            problem=first_wrong(
                (
                    first.text == f"You said: {prompt}",
                    first.error or "the first answer is not the provider's",
                ),
                (second.status == 402, "the second request was not refused"),
                ("budget" in second.error, "the client did not see why"),
                (second.sent == 1, f"the SDK tried {second.sent} times"),
                (len(got) == 1, "not exactly one request reached the provider"),
                (limit == INTERN_TOKENS and 0 < used < limit, "the quota does not tell what was used"),
            ),
        )

    async def cached(self, cast: Cast) -> Seen:
        """What was asked before is answered without anybody being asked, though it is no stream this time."""
        before = len(cast.providers.requests)
        told = await self._programs.ask_openai(_CLAUDE, _RIVERS)
        got = cast.providers.requests[before:]
        return Seen(
            tried=f"{_RIVERS} (of {_CLAUDE}, not streamed)",
            client_saw=f"{told.text} (cache: {told.cache.partition(';')[0] or 'no'})",
            provider_received=said(got) or "nothing",
            problem=first_wrong(
                (told.text == f"You said: {_RIVERS}", "the answer is another one"),
                (told.cache.startswith("hit-exact"), "it did not come from the cache"),
                (not got, "the provider was asked again"),
            ),
        )
