"""Whether TLS clients of this machine really accept a leaf of ours: asked of them, not concluded from files.

The leaf is signed in memory by a throw-away intermediate of the root on the disk (or by the company's), and shown to a
client over no network: Python's default settings, which are OpenSSL's, and Node.js.
"""

from __future__ import annotations

import json
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from agent.errors import HostError
from agent.host.certificates import LeafIssuer, issue_intermediate, new_key
from agent.host.company import Company
from agent.host.files import write_atomically
from agent.host.pairs import Pair, key_text, pem_text
from agent.host.run import run

_TIMEOUT = 20  # seconds
_NODE = """
const tls = require('node:tls'), given = JSON.parse(require('node:fs').readFileSync(0));
const server = tls.createServer({key: given.key, cert: given.chain}, socket => socket.end());
server.on('tlsClientError', () => {});
const end = (text, code) => { console.log(text); process.exit(code); };
server.listen(0, '127.0.0.1', () => {
  const client = tls.connect({port: server.address().port, host: '127.0.0.1', servername: given.name});
  client.on('secureConnect', () => end('accepted', 0));
  client.on('error', error => end(error.code || error.message, 3));
});
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A leaf that is shown to clients: its name, its chain as a server sends it, its key."""

    name: str
    chain: bytes  # PEM
    key: bytes  # PEM


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a client says: `reason` is its own words, where it does not accept."""

    accepted: bool
    reason: str = ""


def sample_of_device(root: Pair, name: str, *, now: datetime) -> Sample:
    """A leaf under the device's root. The intermediate is used for nothing else."""
    key = new_key()
    intermediate = issue_intermediate(
        key, root=root.certificate, root_key=root.key, permitted=frozenset({name}), now=now
    )
    return _sample(intermediate, key, (intermediate,), name, now)


def sample_of_company(company: Company, name: str, *, now: datetime) -> Sample:
    """A leaf under the company's intermediate."""
    return _sample(company.pair.certificate, company.pair.key, company.chain, name, now)


def ask_openssl(sample: Sample, *, roots: bytes = b"") -> Verdict:
    """Python's `ssl.create_default_context()`: what it trusts by itself, or `roots` (PEM) alone."""
    try:
        client = ssl.create_default_context(cadata=roots.decode()) if roots else ssl.create_default_context()
    except (OSError, ValueError) as error:
        return Verdict(accepted=False, reason=f"no roots could be loaded: {error}")
    client.verify_flags &= ~ssl.VERIFY_X509_PARTIAL_CHAIN  # as OpenSSL's other users: up to the root
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory(prefix="drawbridge-probe-") as folder:
        chain, key = Path(folder, "chain.pem"), Path(folder, "leaf.key")
        write_atomically(chain, sample.chain)
        write_atomically(key, sample.key)
        server.load_cert_chain(chain, key)
    return _handshake(client, server, sample.name)


def ask_node(sample: Sample, node: str) -> Verdict:
    """Node.js, which speaks to itself over loopback, with this process's own environment (NODE_EXTRA_CA_CERTS)."""
    given = {"name": sample.name, "chain": sample.chain.decode(), "key": sample.key.decode()}
    try:
        # the key goes through a pipe: everybody can read a command line
        done = run([node, "-e", _NODE], timeout=_TIMEOUT, stdin=json.dumps(given).encode())
    except HostError as error:
        return Verdict(accepted=False, reason=str(error))
    if done.code == 0:
        return Verdict(accepted=True)
    said = (done.stdout.strip() or done.stderr.strip()).decode("utf-8", "replace").splitlines()
    return Verdict(accepted=False, reason=said[-1][:200] if said else f"node ended with {done.code}")


def _sample(
    issuer: x509.Certificate,
    issuer_key: ec.EllipticCurvePrivateKey,
    chain: tuple[x509.Certificate, ...],
    name: str,
    now: datetime,
) -> Sample:
    key = new_key()
    leaf = LeafIssuer(intermediate=issuer, intermediate_key=issuer_key, leaf_key=key).issue(name, now=now)
    return Sample(name=name, chain=b"".join(map(pem_text, (leaf, *chain))), key=key_text(key))


def _handshake(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> Verdict:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname=name)
    far = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(8):  # a handshake has fewer flights
        try:
            near.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLCertVerificationError as error:
            return Verdict(accepted=False, reason=error.verify_message or str(error))
        except ssl.SSLError as error:
            return Verdict(accepted=False, reason=str(error))
        else:
            return Verdict(accepted=True)
        with suppress(ssl.SSLWantReadError):
            far.do_handshake()
    return Verdict(accepted=False, reason="the handshake did not end")
