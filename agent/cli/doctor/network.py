"""The connections that the doctor opens: through our own proxy, and out to providers. No request goes to a model: the
first ends after the handshake, the others ask for the head of a start page. All block and never raise.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from agent.cli.doctor.facts import LineFacts, Reached
from agent.host.setting_values import Resolve

_SECONDS = 6.0
_HEAD_LIMIT = 16 * 1024  # bytes of the answer to CONNECT
_PROBES = (
    ("http://connectivitycheck.gstatic.com/generate_204", 204, b""),
    ("http://captive.apple.com/hotspot-detect.html", 200, b"Success"),
)
"""What systems ask themselves to learn whether a sign-in page holds the network: address, status, text."""


def ask_proxy(
    port: int,
    host: str,
    *,
    roots: Sequence[x509.Certificate],
    system: Sequence[bytes] | None,
    root_known: bool,
) -> LineFacts:
    """CONNECT and a handshake. Nothing is verified while it goes on: a client that breaks it off over a certificate
    counts as one that refuses ours, and policy may let such a program pass unseen. The chain is checked afterwards."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as sock:
            sock.settimeout(_SECONDS)
            sock.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
            head = _head(sock)
            words = head.split(b" ", 2)
            if len(words) < 2 or words[1] != b"200":
                said = head.split(b"\r\n")[0][:80].decode("ascii", "replace")
                return LineFacts(host=host, problem=f"the proxy answers {said!r}" if said else "no answer")
            with context.wrap_socket(sock, server_hostname=host) as line:
                chain = [x509.load_der_x509_certificate(der) for der in line.get_unverified_chain()]
    except (OSError, ValueError) as error:
        return LineFacts(host=host, problem=f"no TLS ({_told(error)})")
    return judged_chain(host, chain, roots=roots, system=system, root_known=root_known)


def judged_chain(
    host: str,
    chain: Sequence[x509.Certificate],
    *,
    roots: Sequence[x509.Certificate],
    system: Sequence[bytes] | None,
    root_known: bool = True,
) -> LineFacts:
    """What a chain says: the leaf first, as a server sends it. `system` are the system's roots (DER), None where they
    cannot be read. Pure."""
    if not chain:
        return LineFacts(host=host, problem="the server showed no certificate")
    leaf = chain[0]
    anchors = [root for root in roots if _leads_up(chain, root)]
    known = set(system or ())
    return LineFacts(
        host=host,
        issuer=_name(leaf.issuer),
        names_host=host in _names(leaf),
        under_our_root=bool(anchors),
        root_known=root_known,
        root_in_system=None
        if system is None or not root_known
        else any(root.public_bytes(Encoding.DER) in known for root in anchors),
    )


def reach(
    hosts: Iterable[str],
    *,
    context: ssl.SSLContext,
    proxy: str | None = None,
    direct: Callable[[str], bool] = lambda _: False,
    resolve: Sequence[Resolve] = (),
    now: Callable[[], float] = time.time,
) -> tuple[Reached, ...]:
    """Ask each host for the head of its start page, until one answers."""
    found: list[Reached] = []
    for host in hosts:
        found.append(_reach(host, context, None if direct(host) else proxy, resolve, now))
        if not found[-1].problem:
            break
    return tuple(found)


def ask_portal(probes: Sequence[tuple[str, int, bytes]] = _PROBES) -> tuple[str | None, str]:
    """What answers in place of the network's probe, empty where it is answered rightly; None, and why, where nobody
    answers."""
    why = ""
    for url, status, text in probes:
        parts = urlsplit(url)
        try:
            with closing(HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS / 2)) as asked:
                asked.request("GET", parts.path, headers={"connection": "close"})
                answer = asked.getresponse()
                body = answer.read(_HEAD_LIMIT)
        except (OSError, HTTPException) as error:
            why = f"nobody answers the network's probe ({_told(error)})"
            continue
        if answer.status == status and text in body:
            return "", ""
        return f"{parts.hostname} was answered with status {answer.status} by somebody else", ""
    return None, why


def _reach(
    host: str,
    context: ssl.SSLContext,
    proxy: str | None,
    resolve: Sequence[Resolve],
    now: Callable[[], float],
) -> Reached:
    elsewhere = {(each.host, each.port): (each.address, each.address_port) for each in resolve}
    address = elsewhere.get((host, 443), (host, 443))
    try:
        if proxy is None:
            connection = HTTPSConnection(host, timeout=_SECONDS, context=context)
            raw = socket.create_connection(address, timeout=_SECONDS)
        else:
            through = urlsplit(proxy)
            connection = HTTPSConnection(host, timeout=_SECONDS, context=context)
            raw = socket.create_connection((through.hostname or "", through.port or 80), timeout=_SECONDS)
            raw.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
            head = _head(raw)
            if head.split(b" ", 2)[1:2] != [b"200"]:
                raw.close()
                said = head.split(b"\r\n")[0][:60].decode("ascii", "replace")
                return Reached(host=host, problem=f"the company's proxy answers {said!r}")
    except OSError as error:
        return Reached(host=host, problem=_told(error))
    with closing(raw), closing(connection):
        try:
            connection.sock = context.wrap_socket(raw, server_hostname=host)
            der = connection.sock.getpeercert(binary_form=True)
            issuer = _name(x509.load_der_x509_certificate(der).issuer) if der else ""
            connection.request("HEAD", "/", headers={"user-agent": "Drawbridge", "connection": "close"})
            answer = connection.getresponse()
        except ssl.SSLCertVerificationError as error:
            return Reached(
                host=host,
                problem=f"its certificate is not trusted: {error.verify_message or error}",
                issuer=_stranger(address, host) if proxy is None else "",
            )
        except (OSError, HTTPException, ValueError) as error:
            return Reached(host=host, problem=_told(error))
        return Reached(host=host, issuer=issuer, skew=_skew(answer.getheader("date"), now()))


def _stranger(address: tuple[str, int], host: str) -> str:
    """Who signed a certificate that is not trusted: read, and nothing sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        suppress(OSError, ValueError),
        socket.create_connection(address, timeout=_SECONDS) as raw,
        context.wrap_socket(raw, server_hostname=host) as line,
    ):
        der = line.getpeercert(binary_form=True)
        return _name(x509.load_der_x509_certificate(der).issuer) if der else ""
    return ""


def _head(sock: socket.socket) -> bytes:
    """Up to the empty line, or what came of it. Raises OSError."""
    head = b""
    deadline = time.monotonic() + _SECONDS
    # byte by byte: what follows belongs to the handshake
    while not head.endswith(b"\r\n\r\n") and len(head) < _HEAD_LIMIT and time.monotonic() < deadline:
        piece = sock.recv(1)
        if not piece:
            break
        head += piece
    return head


def _skew(date: str | None, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now


def _leads_up(chain: Sequence[x509.Certificate], root: x509.Certificate) -> bool:
    """Whether every certificate is signed by the next, and the last by `root` or is it."""
    above = [*chain[1:], *(() if chain[-1] == root else (root,))]
    try:
        for lower, upper in zip(chain, above, strict=False):
            lower.verify_directly_issued_by(upper)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return found.get_values_for_type(x509.DNSName)


def _name(name: x509.Name) -> str:
    """Common name and organisation, the parts that people know."""
    parts = [
        str(each.value)
        for oid in (x509.NameOID.COMMON_NAME, x509.NameOID.ORGANIZATION_NAME)
        for each in name.get_attributes_for_oid(oid)
    ]
    return ", ".join(dict.fromkeys(parts)) or name.rfc4514_string()


def _told(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:160]
