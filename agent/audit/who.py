"""Who asked, as the trail tells it: of a client's connection, of the app behind it, of the account it asks with. Pure.

A connection brings many exchanges and says the same of itself each time, so what was made of the last ones is kept.
"""

from __future__ import annotations

from typing import NamedTuple

from agent.audit.chain import Json
from agent.audit.documents import MAX_LIST, Document, clipped
from agent.model.app import UNKNOWN_ASKER, Asker
from agent.model.identity import Identity
from agent.model.login import NO_LOGIN, Login
from agent.model.traffic import Connection, Process

MOST_GROUPS = 50
"""Groups of a sign-in that an event holds."""
_KEPT = 256  # connections


class Introduction(NamedTuple):
    """Parts of an event, each a document that several events may share: nobody changes them."""

    actor: Document
    source: Document  # OCSF's `src_endpoint`
    connection: Document
    asker: Document
    login: Document


class _Known(NamedTuple):
    connection: Connection
    asker: Asker
    login: Login
    introduction: Introduction


class Introductions:
    """Makes introductions, and remembers those of the connections that asked last. For one thread."""

    def __init__(self, hostname: str) -> None:
        """`hostname` is this machine's."""
        self._hostname = hostname
        self._known: dict[int, _Known] = {}

    def of(self, connection: Connection, asker: Asker, login: Login) -> Introduction:
        """The introduction of who asked."""
        known = self._known.get(id(connection))  # which is held, so that no other object can have its id
        if known is not None and known.asker == asker and known.login == login:
            return known.introduction
        made = Introduction(
            actor=actor_of(connection, asker, login),
            source=self._source(connection),
            connection=connection_facts(connection),
            asker=_asker(asker),
            login=_login(login),
        )
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[id(connection)] = _Known(connection, asker, login, made)
        return made

    def _source(self, connection: Connection) -> Document:
        if connection.client_address is None:
            return {"hostname": self._hostname}
        address, port = connection.client_address
        return {"hostname": self._hostname, "ip": clipped(address), "port": port}


def actor_of(connection: Connection, asker: Asker = UNKNOWN_ASKER, login: Login = NO_LOGIN) -> Document:
    """Who did it: app, process, user of this machine; of the account at the service what the request shows of it."""
    process = connection.process
    app = clipped(asker.app or connection.app)
    actor: Document = {"app_name": app or (clipped(process.name) if process else "unknown")}
    if process is not None:
        actor["process"] = _process(process)
    user: Document = {}
    if process is not None and process.user:
        user["name"] = clipped(process.user)
        user.update(_signed_in(process.identity))
    if name := login.subject or login.organisation:
        user["account"] = {
            "uid": clipped(name),
            "type": clipped(login.plan or login.key_type or login.kind) or "account",
            "type_id": 99,
        }
    if login.organisation:
        user["org"] = {"uid": clipped(login.organisation)}
    if user:
        actor["user"] = user
    if login.tail:
        actor["session"] = {"credential_uid": f"…{clipped(login.tail)}"}
    return actor


def _signed_in(identity: Identity) -> Document:
    """As whom the account has signed in: `uid` is its id at the provider, which `domain` names."""
    if not identity.known:
        return {}
    found: Document = {"uid": clipped(identity.subject), "domain": clipped(identity.issuer)}
    if "@" in identity.name:
        found["email_addr"] = clipped(identity.name)
    elif identity.name != identity.subject:
        found["display_name"] = clipped(identity.name)
    if identity.full_name:
        found["full_name"] = clipped(identity.full_name)
    if identity.groups:
        found["groups"] = [{"name": clipped(each)} for each in identity.groups[:MOST_GROUPS]]
    return found


def _process(process: Process) -> Document:
    about: Document = {"pid": process.pid, "name": clipped(process.name)}
    if process.executable:
        about["file"] = _file(process)
    if process.started:
        about["created_time"] = int(process.started * 1000)
    if process.parents:
        elders: list[Json] = [{"name": clipped(name)} for name in process.parents[:MAX_LIST]]
        about["parent_process"] = elders[0]
        about["ancestry"] = elders
    if process.sandbox:
        about["sandbox"] = clipped(process.sandbox)
    return about


def _file(process: Process) -> Document:
    name = process.executable.replace("\\", "/").rpartition("/")[2]
    file: Document = {"name": clipped(name), "path": clipped(process.executable), "type_id": 1}
    signature = process.signature
    if signature.signer:
        file["company_name"] = clipped(signature.signer)
    if signature.team:
        file["signature"] = {"algorithm_id": 0, "developer_uid": clipped(signature.team), "state_id": 1}
    return file


def _asker(asker: Asker) -> Document:
    """Which app asked, and how that is known; what is not known is left out."""
    document: Document = {
        name: clipped(value)
        for name, value in (
            ("app", asker.app),
            ("evidence", asker.evidence.value),
            ("seen", asker.seen),
            ("claimed", asker.claimed),
        )
        if value
    }
    if asker.within:
        document["within"] = [clipped(each) for each in asker.within[:MAX_LIST]]
    return document


def _login(login: Login) -> Document:
    """With which account. Its subject is as the capture mode allows."""
    return {
        name: clipped(value)
        for name, value in (
            ("kind", login.kind.value),
            ("key_type", login.key_type),
            ("tail", login.tail),
            ("subject", login.subject),
            ("organisation", login.organisation),
            ("domain", login.domain),
            ("plan", login.plan),
            ("tenancy", login.tenancy.value),
        )
        if value
    }


def connection_facts(connection: Connection) -> Document:
    """How a client came in."""
    document: Document = {"id": connection.id, "tier": connection.tier}
    if connection.connect_host:
        document["connect_host"] = clipped(connection.connect_host)
    if connection.sni:
        document["sni"] = clipped(connection.sni)
    return document
