"""The credentials of a dispatch: what a candidate's provider wants to be shown, for one prepared request."""

from __future__ import annotations

from agent.credentials import Credentials, call_for
from agent.gateway.dispatch import Prepared
from agent.gateway.transport.base import Headers
from agent.gateway.unified.routebook import Backing
from agent.model.provider import Scheme
from agent.routing.plan import Candidate, KeyRef


class Keys:
    """Implements `dispatch.Credentials`."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def headers(self, candidate: Candidate, key: KeyRef, prepared: Prepared) -> Headers:
        """See `dispatch.Credentials`."""
        if not key.reference:
            return ()
        serving = candidate.settings
        assert isinstance(serving, Backing)
        url = _url(prepared) if serving.provider.scheme is Scheme.SIGV4 else ""  # others do not sign it
        method = prepared.method.decode("ascii")
        call = call_for(serving.provider, key.reference, url=url, body=prepared.body, method=method)
        return await self._credentials.headers(call)

    def refused(self, key: KeyRef) -> None:
        """The provider refused the key: read it anew next time."""
        self._credentials.forget(key.reference)


def _url(prepared: Prepared) -> str:
    scheme = "https" if prepared.target.tls else "http"
    return f"{scheme}://{prepared.authority.decode('latin-1')}{prepared.wire_target.decode('latin-1')}"
