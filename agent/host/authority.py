"""The device's own certificate authority: its files, their renewal, and the leaves that interception
presents.

Root (trusted by the user, never replaced here) → intermediate (bound to the catalogued hosts, replaced
freely) → leaf (in memory, for one name). Where the catalog has a template (`llm.{region}.example.com`), the
intermediate is bound to those of its hosts that were really asked for, and replaced when another one is: the
permitted names in the intermediate on disk are the memory of that. A root that is damaged is reported, not
mended: a new one would silently break or renew a trust that only the user may give. `open`, `cover` and a
renewal read and write files and block.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from agent.errors import ConfigError, HostError
from agent.host.certificates import (
    SLACK,
    HostNames,
    LeafIssuer,
    is_dns_name,
    is_intermediate,
    issue_intermediate,
    issue_root,
    new_key,
    permitted_names,
)
from agent.host.files import read_limited, read_private, write_atomically
from agent.host.paths import StatePaths

CACHE_SIZE = 1024  # leaves
MET_LIMIT = 128
"""Hosts of templates that one intermediate names; the one that was met first makes way."""
_FILE_LIMIT = 1024 * 1024  # bytes; an intermediate with 1,000 hosts has 40 kB
_LEAF_REST = timedelta(days=1)  # a leaf with less time left is not handed out again

log = logging.getLogger(__name__)

type Clock = Callable[[], datetime]
"""The current time, with its zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A certificate for one host name, its key, and what a server sends after it."""

    name: str
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey  # of this run, shared by all leaves; on no disk
    chain: tuple[x509.Certificate, ...]  # the intermediate; not the root, which clients have

    @property
    def chain_pem(self) -> bytes:
        """Leaf and chain in the order a TLS server sends them."""
        return b"".join(_pem(certificate) for certificate in (self.certificate, *self.chain))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    start: datetime
    renewal: datetime  # two thirds into its life

    @classmethod
    def of(cls, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> _Pair:
        """The pair, with its times read once: reading them for every leaf costs more than the cache's answer."""
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        issued = start + SLACK
        return cls(certificate=certificate, key=key, start=start, renewal=issued + (end - issued) * 2 / 3)

    def serves(self, now: datetime) -> bool:
        """Whether an intermediate is valid and not yet due for renewal."""
        return self.start <= now < self.renewal


class Authority:
    """The authority of one state directory. Make it with `open`. May be used from several threads."""

    def __init__(
        self, paths: StatePaths, root: _Pair, hosts: HostNames, *, now: Clock, created: bool
    ) -> None:
        """Use `open`: it makes or loads the root."""
        self._paths = paths
        self._root = root
        self._hosts = hosts
        self._now = now
        self._leaf_key = new_key()
        self._guard = threading.RLock()
        self._leaves: OrderedDict[str, Leaf] = OrderedDict()
        self._met: tuple[str, ...] = ()  # hosts of the templates that were asked for
        self.created = created
        """Whether the root is new: the user has yet to trust it."""
        kept = self._load_intermediate()
        self.reissued = kept is None
        """Whether opening made a new intermediate."""
        self._intermediate = kept or self._issue()
        self._issuer = self._leaf_issuer()

    @classmethod
    def open(
        cls, paths: StatePaths, hosts: frozenset[str], *, now: Clock | None = None, hostname: str = ""
    ) -> Authority:
        """Load the authority, or make it on the first run, for `hosts` as the catalog writes them. Blocks.

        An intermediate that is missing, damaged, old, from the future or for other hosts is replaced.
        Raises HostError for a root that is damaged, incomplete, not yet or no longer valid; ConfigError for
        a malformed host.
        """
        clock = now or _utc_now
        root = _load_root(paths)
        created = root is None
        if root is None:
            root = _make_root(paths, hostname or socket.gethostname(), clock())
        _check_time(paths, root.certificate, clock())
        return cls(paths, root, _host_names(hosts), now=clock, created=created)

    @property
    def root(self) -> x509.Certificate:
        """The certificate to trust."""
        return self._root.certificate

    @property
    def root_pem(self) -> bytes:
        """The certificate to trust, as PEM."""
        return _pem(self._root.certificate)

    @property
    def chain_pem(self) -> bytes:
        """What a server sends after a leaf: the intermediate, as PEM."""
        with self._guard:
            return _pem(self._current(self._now()).certificate)

    @property
    def fingerprint(self) -> str:
        """The root's SHA-256 as certificate viewers write it: `AB:CD:…`."""
        return self._root.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    def cover(self, hosts: frozenset[str]) -> bool:
        """Serve `hosts` from now on; whether that needed a new intermediate. The root stays. Blocks.

        Raises HostError, ConfigError.
        """
        names = _host_names(hosts)
        with self._guard:
            met = tuple(name for name in self._met if names.shaped(name))
            changed = names.constraints(met) != self._permitted()
            self._hosts, self._met = names, met
            self._leaves.clear()
            if changed:
                self._replace()
            return changed

    def leaf(self, name: str) -> Leaf:
        """A certificate for `name` that is valid now, from the cache or freshly signed (0.1 ms).

        Every two months, and for a host of a template that is asked for the first time, this renews the intermediate,
        which writes two files. Raises HostError for a name
        outside the catalogued hosts, an IP address, or a clock outside the root's validity.
        """
        name = name.lower().removesuffix(".")
        with self._guard:
            now = self._now()
            current = self._current(now)
            kept = self._leaves.get(name)
            if kept is not None and _is_fresh(kept.certificate, now):
                self._leaves.move_to_end(name)
                return kept
            if not is_dns_name(name) or not self._hosts.cover(name):
                raise HostError(f"no certificate for {name[:255]!r}: the catalog does not list it")
            if self._hosts.shaped(name) and name not in self._met:
                self._met = (*self._met, name)[-MET_LIMIT:]
                self._replace()
                current = self._intermediate
            certificate = self._issuer.issue(name, now=now)
            leaf = Leaf(name=name, certificate=certificate, key=self._leaf_key, chain=(current.certificate,))
            self._leaves[name] = leaf
            self._leaves.move_to_end(name)
            while len(self._leaves) > CACHE_SIZE:
                self._leaves.popitem(last=False)
            return leaf

    def _current(self, now: datetime) -> _Pair:
        """The intermediate, renewed where it is due."""
        if not self._intermediate.serves(now):
            self._replace()
        return self._intermediate

    def _replace(self) -> None:
        self._intermediate = self._issue()
        self._issuer = self._leaf_issuer()
        self._leaves.clear()

    def _leaf_issuer(self) -> LeafIssuer:
        return LeafIssuer(
            intermediate=self._intermediate.certificate,
            intermediate_key=self._intermediate.key,
            leaf_key=self._leaf_key,
        )

    def _load_intermediate(self) -> _Pair | None:
        """The intermediate on disk where it still serves, else None: making a new one costs nothing."""
        try:
            pair = _load_pair(self._paths.intermediate_certificate, self._paths.intermediate_key)
        except HostError:
            return None
        if pair is None:
            return None
        met = tuple(name for name in permitted_names(pair.certificate) if self._hosts.shaped(name))[
            -MET_LIMIT:
        ]
        permitted = self._hosts.constraints(met)
        if not is_intermediate(pair.certificate, root=self._root.certificate, permitted=permitted):
            return None
        self._met = met
        return pair if pair.serves(self._now()) else None

    def _permitted(self) -> frozenset[str]:
        return self._hosts.constraints(self._met)

    def _issue(self) -> _Pair:
        now = self._now()
        _check_time(self._paths, self._root.certificate, now)
        key = new_key()
        certificate = issue_intermediate(
            key,
            root=self._root.certificate,
            root_key=self._root.key,
            permitted=self._permitted(),
            now=now,
        )
        pair = _Pair.of(certificate, key)
        try:
            _write_pair(self._paths.intermediate_certificate, self._paths.intermediate_key, pair)
        except HostError as error:
            # a full disk must not cut anybody off: the next start makes another one
            log.warning("the new intermediate certificate is kept in memory only: %s", error)
        return pair


def _load_root(paths: StatePaths) -> _Pair | None:
    """The root on disk, None on a first run or after one that was cut short before anybody could trust its root."""
    mend = (
        f"Restore {paths.root_certificate.name} and {paths.root_key.name} in {paths.ca} from a backup, or "
        f"remove {paths.ca}, start again, and trust the new root in place of the old."
    )
    certificate, key = paths.root_certificate.exists(), paths.root_key.exists()
    if not certificate and not paths.intermediate_certificate.exists():
        return None  # nothing yet, or a key alone: the key is written first
    if not certificate or not key:
        lost = paths.root_key if certificate else paths.root_certificate
        raise HostError(f"the device root is incomplete: {lost} is missing", hint=mend)
    try:
        pair = _load_pair(paths.root_certificate, paths.root_key)
    except HostError as error:
        raise HostError(f"the device root cannot be used: {error}", hint=error.hint() or mend) from error
    if pair is None:
        raise HostError(f"the device root in {paths.ca} vanished while it was read", hint=mend)
    return pair


def _make_root(paths: StatePaths, hostname: str, now: datetime) -> _Pair:
    key = new_key()
    pair = _Pair.of(issue_root(key, hostname=hostname, now=now), key)
    _write_pair(paths.root_certificate, paths.root_key, pair)
    return pair


def _check_time(paths: StatePaths, root: x509.Certificate, now: datetime) -> None:
    start, end = root.not_valid_before_utc, root.not_valid_after_utc
    if now < start:
        raise HostError(
            f"the device root is valid from {start:%Y-%m-%d}, and the clock says {now:%Y-%m-%d}",
            hint="Set the clock right. If the root was made under a wrong clock, remove "
            f"{paths.ca}, start again, and trust the new root.",
        )
    if now >= end:
        raise HostError(
            f"the device root expired on {end:%Y-%m-%d}",
            hint=f"Check the clock, then remove {paths.ca}, start again, and trust the new root.",
        )


def _load_pair(certificate_path: Path, key_path: Path) -> _Pair | None:
    """A certificate and its key, None where a file is missing. Raises HostError where they are damaged or differ."""
    certificate_pem = read_limited(certificate_path, limit=_FILE_LIMIT)
    key_pem = read_private(key_path, limit=_FILE_LIMIT)
    if certificate_pem is None or key_pem is None:
        return None
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
    except ValueError as error:
        raise HostError(f"{certificate_path} holds no certificate") from error
    try:
        key = serialization.load_pem_private_key(key_pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise HostError(f"{key_path} holds no private key") from None  # the cause may quote the file
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise HostError(f"{key_path} is not the key of {certificate_path}")
    return _Pair.of(certificate, key)


def _write_pair(certificate_path: Path, key_path: Path, pair: _Pair) -> None:
    """Key first: a certificate on disk means that its key is there too."""
    key_pem = pair.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_atomically(key_path, key_pem)
    write_atomically(certificate_path, _pem(pair.certificate))


def _is_fresh(leaf: x509.Certificate, now: datetime) -> bool:
    return leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc - _LEAF_REST


def _host_names(hosts: frozenset[str]) -> HostNames:
    try:
        return HostNames(hosts)
    except ValueError as error:
        raise ConfigError(f"cannot make certificates: {error}", hint="Mend the catalog or policy.") from error


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _utc_now() -> datetime:
    return datetime.now(UTC)
