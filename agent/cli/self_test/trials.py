"""What is tried, in order. Each trial tells in a line what it found, or raises; whatever it raises is its failure."""

from __future__ import annotations

import asyncio
import io
import pkgutil
import ssl
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from agent.errors import DrawbridgeError, HostError
from agent.host.files import write_atomically
from agent.interception import library

PACKAGES = ("agent", "addons")
_READ_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One trial."""

    name: str
    ok: bool
    seconds: float
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`run` is given a directory that is thrown away."""

    name: str
    run: Callable[[Path], str]


def trials() -> tuple[Trial, ...]:
    """All of them."""
    from agent.cli.self_test.exchange import exchange

    return (
        Trial(name="modules", run=modules),
        Trial(name="policy", run=policy),
        Trial(name="guardrails", run=guardrails),
        Trial(name="trust store", run=trust_store),
        Trial(name="certificates", run=certificates),
        Trial(name="file reader", run=file_reader),
        Trial(name="icon", run=icon),
        Trial(name="exchange", run=exchange),
    )


def try_all(chosen: tuple[Trial, ...] | None = None) -> tuple[Outcome, ...]:
    """Run them; one that fails does not keep the others from being tried."""
    return tuple(_tried(trial) for trial in (chosen if chosen is not None else trials()))


def _tried(trial: Trial) -> Outcome:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="drawbridge-", ignore_cleanup_errors=True) as directory:
        try:
            told, ok = trial.run(Path(directory).resolve()), True
        except DrawbridgeError as error:
            told, ok = f"{error} {error.hint()}".strip(), False
        except Exception as error:  # whatever is broken: that is what is asked
            told, ok = f"{type(error).__name__}: {error}", False
    return Outcome(name=trial.name, ok=ok, seconds=time.monotonic() - began, told=told)


def modules(_: Path) -> str:
    """Import everything: what a frozen program lacks is missed at its first use, which may be weeks from now."""
    library.prepare()  # before anything imports mitmproxy
    names = [name for package in PACKAGES for name in _names(package)]
    failed = []
    for name in names:
        try:
            import_module(name)
        except Exception as error:  # an import may raise anything
            failed.append(f"{name} ({type(error).__name__}: {error})")
    if failed:
        raise HostError(f"{len(failed)} of {len(names)} modules cannot be imported: {'; '.join(failed)}")
    return f"{len(names)} imported"


def _names(package: str) -> Iterator[str]:
    yield package
    for found in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
        yield found.name


def policy(_: Path) -> str:
    """The bundled policy, compiled, its own examples included."""
    from agent.gateway.policy_file import read_rules
    from agent.host.paths import bundled_policies

    rules = read_rules(bundled_policies() / "default" / "policy.yaml")
    return f"{len(rules.policy.guardrails)} guardrails, {len(rules.catalog.hosts)} hosts"


def guardrails(_: Path) -> str:
    """Of each family one specimen, made for this run, is found."""
    from agent.cli.demo import specimens
    from agent.gateway.policy_file import read_rules
    from agent.host.paths import bundled_policies
    from agent.model.findings import Family

    rules = read_rules(bundled_policies() / "default" / "policy.yaml", examples=False)
    texts = {
        Family.SECRET: f"token = {specimens.repository_token()}",
        Family.PII: f"pay with card {specimens.card_number()}",
    }
    for family, text in texts.items():
        if family not in {found.family for found in rules.scan(text)}:
            raise HostError(f"the guardrails do not find a {family.value}")
    return " and ".join(family.value for family in texts) + " found"


def trust_store(_: Path) -> str:
    """The OS's roots, which upstream connections rest on."""
    from agent.host.roots import root_store

    count = len(root_store().certificates())
    if not count:
        raise HostError("the OS has no trusted roots", hint="Install ca-certificates.")
    return f"{count} roots of the OS"


def certificates(directory: Path) -> str:
    """A CA of its own mints a leaf, and a TLS client that trusts only that CA accepts it for that name alone."""
    from cryptography.hazmat.primitives import serialization

    from agent.host.authority import Authority
    from agent.host.paths import StatePaths

    host = "api.openai.com"
    paths = StatePaths.under(directory / "state")
    paths.prepare()
    authority = Authority.open(paths, frozenset({host}))
    leaf = authority.leaf(host)
    key = directory / "leaf.pem"
    private = leaf.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_atomically(key, private + leaf.chain_pem)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(key)
    trusting = ssl.create_default_context(cadata=authority.root_pem.decode())
    shake_hands(serving, trusting, host)
    try:
        shake_hands(serving, trusting, "bank.example")
    except ssl.SSLCertVerificationError:
        return "leaf minted and verified"
    raise HostError("a certificate is accepted for a name that it does not bear")


def shake_hands(serving: ssl.SSLContext, trusting: ssl.SSLContext, host: str) -> None:
    """A TLS handshake in memory. Raises SSLError."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server, server_hostname=host)
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    left = [client, server]
    for _ in range(10):
        for side in tuple(left):
            try:
                side.do_handshake()
                left.remove(side)
            except ssl.SSLWantReadError:
                continue
        if not left:
            return
    raise HostError("a TLS handshake in memory does not end")


def file_reader(_: Path) -> str:
    """The process that reads files: started, asked, ended."""
    from agent.extraction import Extractor, Limits

    text = "a sentence in an archive"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("note.txt", text)

    async def ask() -> str:
        async with asyncio.timeout(_READ_SECONDS):
            with ExitStack() as held:
                extractor = Extractor()
                held.callback(extractor.close)
                reading = await extractor.read(
                    packed.getvalue(), name="note.zip", declared="application/zip", limits=Limits()
                )
        if reading.problem is not None or not any(text in each.text for each in reading.passages):
            raise HostError(f"the process that reads files does not work: {reading.problem or 'no text'}")
        return f"a file of type {reading.type} read in a process of its own"

    return asyncio.run(ask())


def icon(_: Path) -> str:
    """The icon is drawn, and read as a panel reads it over D-Bus; no panel is asked."""
    from jeepney import DBusAddress, Message, MessageType, new_method_call

    from agent.tray.bus_objects import BusObject
    from agent.tray.status_item import INTERFACE, StatusItem

    item = BusObject("/StatusNotifierItem", StatusItem("/MenuBar", lambda: None).interface())
    place = DBusAddress(item.path, "org.freedesktop.DBus", "org.freedesktop.DBus.Properties")
    asked = new_method_call(place, "GetAll", "s", (INTERFACE,)).serialise(serial=1)
    answer = Message.from_buffer(item.answer(Message.from_buffer(asked)).serialise(serial=1))
    if answer.header.message_type is not MessageType.method_return:
        raise HostError(f"the icon cannot be read: {answer.body}")
    return f"{len(answer.body[0]['IconPixmap'][1])} sizes drawn"
