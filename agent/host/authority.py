"""The device's own certificate authority: what it signs with, its renewal, and the leaves that interception presents.

Root (trusted by the user, never replaced unasked) → intermediate (bound to the catalogued hosts, replaced
freely) → leaf (in memory, for one name). Where the catalog has a template (`llm.{region}.example.com`), the
intermediate is bound to those of its hosts that were really asked for, and replaced when another one is: the
permitted names in the intermediate on disk are the memory of that. A root that is damaged is reported, not
mended: a new one would silently break or renew a trust that only the user may give.

Where a company has issued an intermediate for us (`company.py`), that one signs, and nothing is replaced: hosts that it
does not permit have no certificate (`permits`). `open`, `reopen`, `cover` and a renewal read and write files and block.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from agent.errors import ConfigError, HostError
from agent.host.certificates import (
    HostNames,
    LeafIssuer,
    is_dns_name,
    is_intermediate,
    issue_intermediate,
    new_key,
    permits,
    permitted_names,
)
from agent.host.company import SOON, Company, keep, load_company, named
from agent.host.device_root import Stage, check_time, finish, load_root, make_root, rotation
from agent.host.key_seal import KeyFiles, KeySeal
from agent.host.pairs import Pair, load_pair, pem_text, utc_now, write_pair
from agent.host.paths import StatePaths
from agent.host.trusted_roots import publish_roots, trusted_roots

CACHE_SIZE = 1024  # leaves
MET_LIMIT = 128
"""Hosts of templates that one intermediate names; the one that was met first makes way."""
ROOT_SOON = timedelta(days=90)
"""With less time left than this, the root is worth a word."""
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
        return b"".join(pem_text(certificate) for certificate in (self.certificate, *self.chain))


class Authority:
    """The authority of one state directory. Make it with `open`. May be used from several threads."""

    def __init__(
        self, paths: StatePaths, files: KeyFiles, hosts: HostNames, *, now: Clock, hostname: str
    ) -> None:
        """Use `open`."""
        self._paths = paths
        self._files = files
        self._hosts = hosts
        self._now = now
        self._hostname = hostname
        self._leaf_key = new_key()
        self._guard = threading.RLock()
        self._leaves: OrderedDict[str, Leaf] = OrderedDict()
        self._met: tuple[str, ...] = ()  # hosts of the templates that were asked for
        self.created = False
        """Whether the root is new: the user has yet to trust it."""
        self._company: Company | None = load_company(paths, files)
        self._root = None if self._company else self._device_root()
        kept = self._company.pair if self._company else self._load_intermediate()
        self.reissued = kept is None
        """Whether opening made a new intermediate."""
        self._intermediate = kept or self._issue()
        self._issuer = self._leaf_issuer()
        self._publish()

    @classmethod
    def open(
        cls,
        paths: StatePaths,
        hosts: frozenset[str],
        *,
        now: Clock | None = None,
        hostname: str = "",
        seal: KeySeal | None = None,
    ) -> Authority:
        """Load the authority, or make it on the first run, for `hosts` as the catalog writes them. Blocks.

        An intermediate of the device that is missing, damaged, old, from the future or for other hosts is replaced.
        Keys that lie plain on the disk are sealed where there is a `seal`.
        Raises HostError for a root that is damaged, incomplete, not yet or no longer valid, or cannot be unsealed;
        ConfigError for a malformed host.
        """
        names = _host_names(hosts)
        return cls(
            paths, KeyFiles(seal), names, now=now or utc_now, hostname=hostname or socket.gethostname()
        )

    @property
    def root(self) -> x509.Certificate:
        """The certificate to trust for what is signed now."""
        with self._guard:
            return self._company.root if self._company else self._device.certificate

    @property
    def root_pem(self) -> bytes:
        """The certificate to trust for what is signed now, as PEM."""
        return pem_text(self.root)

    @property
    def roots_pem(self) -> bytes:
        """Every root that programs are to trust, as PEM, the one in use first: two while one replaces the other."""
        return b"".join(map(pem_text, self._roots()))

    @property
    def chain_pem(self) -> bytes:
        """What a server sends after a leaf, as PEM."""
        with self._guard:
            return b"".join(map(pem_text, self._chain(self._current(self._now()))))

    @property
    def fingerprint(self) -> str:
        """The root's SHA-256 as certificate viewers write it: `AB:CD:…`."""
        return self.root.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def of_company(self) -> bool:
        """Whether a company's PKI issued what signs."""
        return self._company is not None

    def permits(self, name: str) -> bool:
        """Whether there can be a certificate for `name`, a host that the catalog lists: always, but where a company's
        intermediate does not permit it, or has expired."""
        company = self._company
        return company is None or company.permits(name.lower().removesuffix("."), self._now())

    def worries(self) -> tuple[str, ...]:
        """What somebody must do soon, one sentence each: none as long as the device renews by itself."""
        with self._guard:
            company, now = self._company, self._now()
            if company is None:
                end = self._device.end
                if end - now > ROOT_SOON:
                    return ()
                return (f"the device root expires on {end:%Y-%m-%d}: drawbridge ca rotate",)
            found: list[str] = []
            end = company.pair.end
            if not company.pair.is_valid(now):
                found.append(f"the company's intermediate expired on {end:%Y-%m-%d}: nothing is decrypted")
            elif end - now < SOON:
                found.append(f"the company's intermediate expires on {end:%Y-%m-%d}: drawbridge ca csr")
            lacking = sorted(name for name in self._hosts.named if not permits(company.permitted, name))
            if lacking:
                found.append(
                    f"the company's intermediate does not permit {named(lacking)}: not decrypted; drawbridge ca csr"
                )
            return tuple(found)

    def reopen(self) -> bool:
        """Look whether somebody has put another root, or a company's intermediate, in the place of what signs, and use
        that; whether it was so. Blocks. Raises HostError: what signed goes on."""
        company = load_company(self._paths, self._files)
        with self._guard:
            root = None if company else self._device_root(make=False)
            changed = (company.chain if company else root and (root.certificate,)) != (
                self._company.chain if self._company else self._root and (self._root.certificate,)
            )
            if changed:
                self._company, self._root = company, root
                self._use(company.pair if company else self._load_intermediate() or self._issue())
            self._publish()
            return changed

    def cover(self, hosts: frozenset[str]) -> bool:
        """Serve `hosts` from now on; whether that needed a new intermediate. The root stays. Blocks.

        Raises HostError, ConfigError; then the hosts before them are served as ever.
        """
        names = _host_names(hosts)
        with self._guard:
            met = tuple(name for name in self._met if names.shaped(name))
            changed = self._company is None and names.constraints(met) != self._permitted()
            before = self._hosts, self._met
            self._hosts, self._met = names, met
            try:
                if changed:
                    self._use(self._issue())
            except BaseException:
                self._hosts, self._met = before
                raise
            self._leaves.clear()
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
            if self._company is not None:
                if not self._company.permits(name, now):
                    raise HostError(
                        f"no certificate for {name[:255]!r}: the company's intermediate does not permit it"
                    )
            elif self._hosts.shaped(name) and name not in self._met:
                self._met = (*self._met, name)[-MET_LIMIT:]
                self._use(self._issue())
                current = self._intermediate
            certificate = self._issuer.issue(name, now=now)
            leaf = Leaf(name=name, certificate=certificate, key=self._leaf_key, chain=self._chain(current))
            self._leaves[name] = leaf
            self._leaves.move_to_end(name)
            while len(self._leaves) > CACHE_SIZE:
                self._leaves.popitem(last=False)
            return leaf

    def put_back(self) -> None:
        """Write what signs to a disk that has lost it: who made another root would be trusted by nobody. Blocks. Raises
        HostError."""
        with self._guard:
            if self._company is not None:
                keep(self._paths, self._files, self._company)
            else:
                write_pair(self._paths.root_certificate, self._paths.root_key, self._device, self._files)
            self._publish()

    def _current(self, now: datetime) -> Pair:
        """The intermediate, renewed where it is due and ours to renew."""
        if self._company is None and not self._intermediate.serves(now):
            self._use(self._issue())
        return self._intermediate

    def _chain(self, current: Pair) -> tuple[x509.Certificate, ...]:
        return self._company.chain if self._company else (current.certificate,)

    def _use(self, intermediate: Pair) -> None:
        self._intermediate = intermediate
        self._issuer = self._leaf_issuer()
        self._leaves.clear()

    def _leaf_issuer(self) -> LeafIssuer:
        return LeafIssuer(
            intermediate=self._intermediate.certificate,
            intermediate_key=self._intermediate.key,
            leaf_key=self._leaf_key,
        )

    @property
    def _device(self) -> Pair:
        assert self._root is not None  # there is one where no company is
        return self._root

    def _device_root(self, *, make: bool = True) -> Pair:
        root = load_root(self._paths, self._files)
        if root is None and not make:
            raise HostError(f"the device root in {self._paths.ca} is gone", hint="Restore it from a backup.")
        if root is None:
            self.created = True
            root = make_root(self._paths, self._files, hostname=self._hostname, now=self._now())
        check_time(self._paths, root.certificate, self._now())
        return root

    def _roots(self) -> tuple[x509.Certificate, ...]:
        """What signs now is trusted, whatever the disk says."""
        try:
            return tuple(dict.fromkeys((self.root, *trusted_roots(self._paths, self._now()))))
        except HostError as error:
            log.warning("other roots to trust cannot be read: %s", error)
            return (self.root,)

    def _publish(self) -> None:
        """Put every root to trust in one file; forget the one before where its overlap is over."""
        try:
            if rotation(self._paths, self._now()).stage is Stage.NONE:
                finish(self._paths)
            publish_roots(self._paths, self._roots())
        except HostError as error:
            log.warning("the roots to trust are not up to date: %s", error)

    def _load_intermediate(self) -> Pair | None:
        """The intermediate on disk where it still serves, else None: making a new one costs nothing."""
        try:
            pair = load_pair(self._paths.intermediate_certificate, self._paths.intermediate_key, self._files)
        except HostError:
            return None
        if pair is None:
            return None
        met = tuple(name for name in permitted_names(pair.certificate) if self._hosts.shaped(name))[
            -MET_LIMIT:
        ]
        permitted = self._hosts.constraints(met)
        if not is_intermediate(pair.certificate, root=self._device.certificate, permitted=permitted):
            return None
        self._met = met
        return pair if pair.serves(self._now()) else None

    def _permitted(self) -> frozenset[str]:
        return self._hosts.constraints(self._met)

    def _issue(self) -> Pair:
        now, root = self._now(), self._device
        check_time(self._paths, root.certificate, now)
        key = new_key()
        certificate = issue_intermediate(
            key,
            root=root.certificate,
            root_key=root.key,
            permitted=self._permitted(),
            now=now,
        )
        pair = Pair.of(certificate, key)
        try:
            write_pair(self._paths.intermediate_certificate, self._paths.intermediate_key, pair, self._files)
        except HostError as error:
            # a full disk must not cut anybody off: the next start makes another one
            log.warning("the new intermediate certificate is kept in memory only: %s", error)
        return pair


def _is_fresh(leaf: x509.Certificate, now: datetime) -> bool:
    return leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc - _LEAF_REST


def _host_names(hosts: frozenset[str]) -> HostNames:
    try:
        return HostNames(hosts)
    except ValueError as error:
        raise ConfigError(f"cannot make certificates: {error}", hint="Mend the catalog or policy.") from error
