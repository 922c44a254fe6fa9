"""Which conversation a request belongs to, and its vault of pseudonyms. In memory only.

A conversation is what a client says it is (a session header or key, see `catalog/harness.toml`), or else what begins
with the same words: agents resend their whole history. Two keys, users, programs or services never share one.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from itertools import dropwhile, takewhile

import orjson

from agent.catalog import Harness
from agent.dialects.base import ParsedRequest
from agent.gateway import headers
from agent.gateway.transport.base import Headers
from agent.inspection.pseudonyms import Vault
from agent.model.content import Role

MAX_CONVERSATIONS = 512
IDLE_HOURS = 12.0
_KEY_BYTES = 32
_MAX_HINT = 256


type _Document = Mapping[str, object]


@dataclass(slots=True)
class _Entry:
    vault: Vault
    principal: tuple[str, ...]
    used_at: float


class Conversations:
    """The vaults of the conversations under way; the ones longest unused are forgotten. `now` is a monotonic clock in
    seconds."""

    def __init__(self, harness: Harness, now: Callable[[], float]) -> None:
        self._harness = harness
        self._now = now
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()  # the least recently used first
        self._lock = threading.Lock()  # large requests are inspected in another thread

    def vault(
        self,
        principal: tuple[str, ...],
        fields: Headers,
        body: bytes,
        request: ParsedRequest,
        *,
        carrier: str = "",
    ) -> Vault:
        """The vault of the conversation that `request` continues or begins. `principal` says who asks whom: key,
        user, program and service; `carrier` names what carries one conversation and nothing else, such as a
        WebSocket."""
        key, continued = self._key(principal, fields, _document(body), request, carrier)
        with self._lock:
            self._forget(self._now() - IDLE_HOURS * 3600)
            entry = self._entries.get(key)
            if entry is None:
                if len(self._entries) >= MAX_CONVERSATIONS:
                    self._entries.popitem(last=False)
                elders = partial(self._vaults_of, principal) if continued else None
                entry = _Entry(Vault(secrets.token_bytes(_KEY_BYTES), elders=elders), principal, 0.0)
                self._entries[key] = entry
            entry.used_at = self._now()
            self._entries.move_to_end(key)
            return entry.vault

    def _vaults_of(self, principal: tuple[str, ...]) -> tuple[Vault, ...]:
        with self._lock:
            return tuple(entry.vault for entry in self._entries.values() if entry.principal == principal)

    def _forget(self, before: float) -> None:
        while self._entries and next(iter(self._entries.values())).used_at < before:
            self._entries.popitem(last=False)

    def _key(
        self,
        principal: tuple[str, ...],
        fields: Headers,
        document: _Document,
        request: ParsedRequest,
        carrier: str,
    ) -> tuple[bytes, bool]:
        """What tells the conversation from others, and whether it is one that the provider keeps. Of those whose id the
        request does not say each principal has one."""
        continued = False
        if words := self._hint(fields, document):
            kind = "named"
        elif request.conversation:  # a page's question carries nothing of what was said before
            kind, words, continued = "kept", request.conversation, True
        elif any(document.get(name) for name in self._harness.continuing_keys):
            kind, continued = "kept", True
        elif carrier:
            kind, words = "carried", carrier
        else:
            kind = "begun"
            words = "\0".join(_opening(request))
        text = "\0".join((*principal, kind, words))
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest(), continued

    def _hint(self, fields: Headers, document: _Document) -> str:
        for name in self._harness.session_headers:
            if value := headers.get(fields, name.encode()):
                return value[:_MAX_HINT].decode("latin-1")
        for name in self._harness.session_keys:
            named = document.get(name)
            if isinstance(named, dict):
                named = named.get("id")
            if isinstance(named, str) and named:
                return named[:_MAX_HINT]
        return ""


def _opening(request: ParsedRequest) -> Iterator[str]:
    """What the user says before anybody answers. Agents put reminders before the user's own words, the same for all
    conversations in one folder: the first text alone would not tell them apart."""
    said = dropwhile(lambda slot: slot.role is not Role.USER, request.slots)
    return (slot.text for slot in takewhile(lambda slot: slot.role is Role.USER, said))


def _document(body: bytes) -> _Document:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}
