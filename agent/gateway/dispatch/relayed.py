"""An answer that was committed to: what was held of it, then the rest as it comes; a report when it is over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Self

from agent.errors import UpstreamError
from agent.gateway.dispatch.patience import Patience, Stalled
from agent.gateway.transport.base import FailureKind, Headers, TransportError, UpstreamResponse

type Report = Callable[[int, UpstreamError | None], None]
"""Told once how many pieces came after the held ones, and what broke the answer off, None where nothing did."""


class Relayed:
    """Implements `UpstreamResponse`. Without `rest`, what is held is all there is."""

    __slots__ = (
        "_at",
        "_held",
        "_over",
        "_patience",
        "_pieces",
        "_report",
        "_response",
        "_rest",
        "_stall",
        "headers",
    )

    def __init__(
        self,
        response: UpstreamResponse,
        held: list[bytes],
        rest: AsyncIterator[bytes] | None,
        report: Report,
        *,
        stall: float,
        headers: Headers | None = None,
    ) -> None:
        self.headers: Headers = response.headers if headers is None else headers
        self._response = response
        self._held = held
        self._at = 0
        self._rest = rest
        self._report = report
        self._stall = stall
        self._patience: Patience | None = None  # once the rest is waited for
        self._pieces = 0
        self._over = False

    @property
    def status(self) -> int:
        """The answer's."""
        return self._response.status

    @property
    def reason(self) -> bytes:
        """The answer's."""
        return self._response.reason

    @property
    def http_version(self) -> str:
        """The answer's."""
        return self._response.http_version

    @property
    def trailers(self) -> Headers:
        """The answer's, once it has ended."""
        return self._response.trailers

    def __aiter__(self) -> Self:
        """The body, piece by piece."""
        return self

    def chunks(self) -> AsyncIterator[bytes]:
        """The body, piece by piece."""
        return self

    async def __anext__(self) -> bytes:
        """The next piece. Raises UpstreamError where the answer breaks off or rests too long."""
        if self._at < len(self._held):
            piece = self._held[self._at]
            self._at += 1
            return piece
        if self._held:
            self._held, self._at = [], 0
        if self._over or self._rest is None:
            self._end(None)
            raise StopAsyncIteration
        patience = self._patience
        if patience is None:
            patience = self._patience = Patience(self._stall)
        try:
            piece = await patience.next(self._rest)
        except StopAsyncIteration:
            self._end(None)
            raise
        except UpstreamError as error:
            self._end(error)
            raise
        except Stalled:
            stalled = TransportError(FailureKind.TIMEOUT, "the provider's stream came to a rest", sent=True)
            self._end(stalled)
            await self._response.aclose()
            raise stalled from None
        self._pieces += 1
        return piece

    async def aclose(self) -> None:
        """Give the rest up. Idempotent."""
        self._held, self._at = [], 0
        self._end(None)
        await self._response.aclose()

    def __del__(self) -> None:
        """A caller that forgot `aclose` must not keep the key's place."""
        self._end(None)

    def _end(self, error: UpstreamError | None) -> None:
        if not self._over:
            self._over = True
            if self._patience is not None:
                self._patience.close()
            self._report(self._pieces, error)
