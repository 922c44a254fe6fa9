"""What one exchange owes: reserved before each try, settled once, whatever became of the answer.

Owns the grants of one exchange. Which accounts there are and what they allow is `agent.accounts`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from agent.accounts.accounts import ANYBODY, Accounts, Grant, Principal
from agent.accounts.denials import Denial, provider_blocked, tool_blocked
from agent.accounts.estimate import Measure, TextKind
from agent.accounts.ports import Ask, Spent
from agent.dialects.base import ParsedRequest
from agent.inspection.mcp_tools import Offer
from agent.model.content import outermost
from agent.model.conversation import NO_COUNT, TokenCount
from agent.policy import Key

_FREE = frozenset(
    {"count_tokens", "moderations", "draft", "resume", "title", "rpc", "context", "files", "conversations"}
)
"""Operations for which no provider asks money, or not yet (`context`: what is said to a model on a WebSocket without
asking it), and what pages do of themselves beside asking."""

_WORDLESS = frozenset({"embeddings", "rerank"})  # operations that are answered without a word
_HOUR = (b'"1h"', b'"\\u0031h"', b'"1\\u0068"', b'"\\u0031\\u0068"')
"""How a request can say that a provider is to keep its prompt for an hour, which costs more than any other way."""
_MOST, _MOST_ANSWERS = 10**9, 10**5  # tokens and answers, beyond which nobody counts


class Account:
    """The account of one exchange. Without a principal's key or limits everything here is a constant."""

    def __init__(
        self,
        accounts: Accounts,
        principal: Principal = ANYBODY,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` tells Unix seconds."""
        self._accounts = accounts
        self.principal = principal
        self._clock = clock
        self._grants: dict[tuple[str, str], Grant] = {}  # by provider and model
        self._measure = Measure()
        self._max_output: int | None = None
        self._answers = 1
        self._free = self._hour = self._wordless = False
        self.cost: tuple[int | None, bool] = (None, False)
        """In nano-dollars, None where it is not known; and whether it is an estimate. Told once `counted`."""
        self.counted = False
        """Whether what was used is counted, though perhaps not durable yet."""
        self.settled = False

    def informed(self, request: ParsedRequest, *, body: bytes = b"", operation: str = "chat") -> None:
        """The request is known: what it asks for, how large it is, and how long its answer may become."""
        self._free = operation in _FREE
        if self._accounts.active:
            self._measure = measured(request)
            self._hour = any(spelling in body for spelling in _HOUR)
        self._wordless = operation in _WORDLESS
        most = 0 if self._wordless else request.max_tokens
        self._max_output = most if most is None else min(most, _MOST)
        self._answers = min(request.answers, _MOST_ANSWERS)

    @property
    def input_tokens(self) -> int:
        """Of the prompt, estimated; 0 where nobody counts."""
        return next((grant.input_tokens for grant in self._grants.values()), 0)

    @property
    def owes(self) -> bool:
        """Whether something is reserved."""
        return any(grant.hold is not None for grant in self._grants.values())

    @property
    def bound(self) -> int | None:
        """The longest answer that was reserved, where the client set none itself and somebody's budget rests on it."""
        if self._max_output is not None:
            return None
        for grant in reversed(self._grants.values()):
            if grant.hold is not None and (most := grant.max_output_tokens):
                return most
        return None

    def may_use(self, provider: str, model: str, name: str = "") -> Denial | None:
        """Why the principal may not use a model, None if it may. `name` is what clients call it there."""
        return self._accounts.may_use(self.principal, provider, model, name)

    def may_use_provider(self, provider: str) -> Denial | None:
        """Why the principal may not use a provider at all, None if it may."""
        key = self.principal.key
        if key is None or key.row.providers is None or key.provider(provider) is not None:
            return None
        return provider_blocked(key.row.id, provider)

    def may_go_uncounted(self, provider: str) -> Denial | None:
        """Why the principal may not send what nobody can count, None if it may."""
        return self._accounts.may_go_uncounted(self.principal, provider)

    @property
    def limits_tools(self) -> bool:
        """Whether the principal may use some tools of MCP servers only."""
        key = self.principal.key
        return key is not None and key.row.mcp_tools is not None

    def may_offer(self, offered: Iterable[Offer]) -> Denial | None:
        """Why the principal may not give a model these tools of MCP servers, None if it may."""
        key = self.principal.key
        if key is None:
            return None
        for names in offered:
            if not any(map(key.allows_tool, names)):
                return tool_blocked(key.row.id, names[0])
        return None

    def lends(self, provider: str, keys: Sequence[Key]) -> Key | None:
        """The first of a provider's keys that the principal may use."""
        key = self.principal.key
        row = key.provider(provider) if key is not None else None
        names = row.keys if row is not None else None
        return next((each for each in keys if names is None or each.name in names), None)

    async def reserve(
        self, provider: str, model: str, *, name: str = "", beside: bool = False
    ) -> Denial | None:
        """Reserve a call of that model, in place of one that did not work out; with `beside` next to it, since both are
        under way. A second try of the same costs nothing more, and what providers do for nothing takes nothing."""
        if self._free:
            return self.may_use(provider, model, name)
        key = (provider, model)
        if key in self._grants:
            return None
        ask = Ask(
            provider=provider,
            model=model,
            name=name,
            measure=self._measure,
            max_output_tokens=self._max_output,
            answers=self._answers,
            cache_hour=self._hour,
        )
        now = self._clock()
        before = next(iter(self._grants), None)
        if before is None or beside:
            answer = await self._accounts.reserve(self.principal, ask, now)
        else:
            answer = await self._accounts.move(self._grants[before], ask, now)
        if isinstance(answer, Denial):
            return answer
        if before is not None and not beside:
            del self._grants[before]
        self._grants[key] = answer
        return None

    async def settle(
        self,
        provider: str,
        model: str,
        tokens: TokenCount,
        *,
        characters: int,
        answered: bool,
        left: bool = False,
    ) -> tuple[int | None, bool]:
        """The exchange is over, and `tokens` is what the provider counted of it. Where it did not count what it sent,
        the answer's `characters` say how much that was; where the client `left` before there was an answer, the prompt
        has been read all the same. Returns the cost in nano-dollars, None where it is not known,
        and whether it is an estimate. Once; further calls finish what a cancelled one left, and say the same."""
        if not self.settled:
            self.settled = True
            asked = (provider, model)
            if left and asked not in self._grants:  # nobody had answered: who was asked last
                asked = next(reversed(self._grants), asked)
            elif provider and self._grants and asked not in self._grants:
                await self.reserve(provider, model)  # an earlier try's answer is handed on after all
                asked = asked if asked in self._grants else next(iter(self._grants))
            grant = self._grants.pop(asked, None)
            if grant is None:
                self.counted = True
            else:
                billed = answered or left
                await self._paid(grant, asked[1], tokens, characters=characters, billed=billed)
        while self._grants:
            _, other = self._grants.popitem()
            await self._accounts.release(other)
        self.counted = True
        return self.cost

    async def _paid(
        self, grant: Grant, model: str, tokens: TokenCount, *, characters: int, billed: bool
    ) -> None:
        if not billed and tokens == NO_COUNT and not characters:
            self.counted = True
            await self._accounts.release(grant)
            return
        tokens, estimated = self._completed(grant, model, tokens, characters)
        cost = self._accounts.price(grant, tokens)
        self.cost = cost, estimated
        self.counted = True
        await self._accounts.settle(grant, Spent(tokens=tokens, nano_usd=cost, estimated=estimated))

    def _completed(
        self, grant: Grant, model: str, tokens: TokenCount, characters: int
    ) -> tuple[TokenCount, bool]:
        """The count with what is missing in it estimated. A stream that was cut off may have reported a first count:
        what was sent since counts as well."""
        given, made = tokens.input, 0 if self._wordless else tokens.output
        said = self._accounts.estimator.tokens(model, TextKind.ANSWER, characters) if characters else 0
        estimated = given is None or made is None or made * 8 < said
        if not estimated:
            return (replace(tokens, output=0) if self._wordless else tokens), False
        return (
            TokenCount(
                input=grant.input_tokens if given is None else given,
                output=max(made or 0, said),
                cache_read=tokens.cache_read,
                cache_write=tokens.cache_write,
                cache_write_1h=tokens.cache_write_1h,
                reasoning=tokens.reasoning,
            ),
            True,
        )


def measured(request: ParsedRequest) -> Measure:
    """The size of a request, for an estimate of its tokens."""
    text = 0
    for slot in outermost(request.slots):
        text += len(slot.text) if slot.text.isascii() else len(slot.text.encode("utf-8", "surrogatepass"))
    if not request.attachments:
        return Measure(text_bytes=text)
    kinds = [each.kind for each in request.attachments]
    documents = sum(each.size or 0 for each in request.attachments if each.kind in ("document", "file"))
    return Measure(
        text_bytes=text,
        images=kinds.count("image"),
        document_bytes=documents,
        audio_seconds=sum((each.size or 0) // 4000 for each in request.attachments if each.kind == "audio"),
    )
