"""Sends a request on the one way its route names: to the provider the client meant, or to a central gateway."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

from agent.credentials import SecretCache
from agent.errors import ConfigError
from agent.gateway import headers
from agent.gateway.ports import SecretSource
from agent.gateway.routing import Refused, Route
from agent.gateway.transport.base import Transport, UpstreamRequest, UpstreamResponse

_OUR_PREFIX = b"x-drawbridge-"


class Direct:
    """One try, no other provider: what the client asked for is what it gets."""

    def __init__(self, transport: Transport, secret: SecretSource) -> None:
        self._transport = transport
        self._secrets = SecretCache(secret, clock=time.monotonic)

    async def send(
        self,
        method: str,
        route: Route,
        fields: list[tuple[bytes, bytes]],
        body: bytes | AsyncIterator[bytes],
        *,
        length: int | None,
    ) -> UpstreamResponse:
        """The answer's head. `fields` hold neither `host` nor framing. Raises UpstreamError, and Refused where the
        route's credential cannot be read."""
        path, fields = await self.head(route, fields)
        response = await self._transport.send(
            route.target,
            UpstreamRequest(
                method=method.encode(),
                target=path,
                headers=tuple(fields),
                body=body,
                content_length=length,
            ),
        )
        self.answered(route, response.status)
        return response

    async def head(
        self, route: Route, fields: list[tuple[bytes, bytes]]
    ) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        """The target of a request that goes that way, and its fields: `host` first, the route's credential among them.
        Raises Refused where that cannot be read."""
        target = route.target
        default = 443 if target.tls else 80
        plain = target.port == default or (route.upstream == "native" and target.port == 443)
        authority = target.host if plain else f"{target.host}:{target.port}"
        if route.upstream != "central":  # words for a gateway are for nobody else
            fields = [each for each in fields if not each[0].startswith(_OUR_PREFIX)]
        if route.credential is not None:
            name, value = await self._credential(*route.credential)
            gone = {name} if route.keeps_own else headers.CREDENTIALS | {name}
            fields = [*((key, own) for key, own in fields if key not in gone), (name, value)]
        if route.imposed:
            fields = headers.imposed(fields, route.imposed)
        path = f"{target.base_path}{route.path}".encode("latin-1")
        return (path + b"?" + route.query if route.query else path), [(b"host", authority.encode()), *fields]

    def answered(self, route: Route, status: int) -> None:
        """Note how the upstream has answered: a credential that it refuses may have been replaced."""
        if status in (401, 403) and route.credential is not None:
            self._secrets.forget(route.credential[1])  # read anew for the next

    async def _credential(self, name: str, reference: str) -> tuple[bytes, bytes]:
        try:
            secret = await self._secrets.read(reference)
        except ConfigError as error:
            raise Refused(500, f"{error} {error.hint()}".strip()) from error
        value = f"Bearer {secret}" if name == "authorization" else secret
        return name.encode(), value.encode()
