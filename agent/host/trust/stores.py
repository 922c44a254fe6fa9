"""The stores of this machine put together, and how roots get into them and out again, by way of the journal.

Root (or an administrator) changes what belongs to the machine, a user what is that user's own; neither touches the
other's. Everything here blocks.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.errors import HostError
from agent.host.files import read_limited
from agent.host.journal import Journal, Report, SettingDriver, Undone, Wanted
from agent.host.paths import SetupPaths, StatePaths, is_privileged, setup_paths
from agent.host.roots import RootStore, root_store
from agent.host.run import Completed, Runner, run
from agent.host.trust.files import PublicFiles, public_folder
from agent.host.trust.firefox import FirefoxPolicy
from agent.host.trust.java import JavaStores, java_homes
from agent.host.trust.linux import LinuxStore
from agent.host.trust.macos import Keychain
from agent.host.trust.nss import NssStore
from agent.host.trust.store import Access, Root, TrustStore, parted
from agent.host.trust.windows import RootsOfWindows
from agent.host.trusted_roots import readable_roots

_PEM_LIMIT = 1024 * 1024  # bytes
_TIMEOUT = 120  # seconds; rebuilding the system's files takes 2 to 20, a person at a dialog longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Whose stores they are: which account asks, and where. Tests have another base and another runner."""

    privileged: bool
    platform: str
    base: Path
    home: Path
    environ: Mapping[str, str]
    runner: Runner
    store: RootStore
    public: Path
    setup: SetupPaths  # where changes are noted

    @classmethod
    def this(cls) -> Machine:
        """The machine that we run on, with the rights that we have."""
        return cls(
            privileged=is_privileged(),
            platform=sys.platform,
            base=Path("/"),
            home=Path.home(),
            environ=os.environ,
            runner=_patient,
            store=root_store(),
            public=public_folder(),
            setup=setup_paths(),
        )


def trust_stores(machine: Machine, *, java: bool = False) -> tuple[TrustStore, ...]:
    """The stores that this account may have to do with; `java` adds those of Java."""
    runner = machine.runner
    stores: list[TrustStore] = []
    match machine.platform:
        case "darwin":
            own = machine.home / "Library" / "Keychains" / "login.keychain-db"
            stores.append(Keychain(runner) if machine.privileged else Keychain(runner, keychain=own))
        case "win32":
            stores.append(RootsOfWindows(runner, machine=machine.privileged))
        case _:
            stores.append(LinuxStore(runner, machine.store, base=machine.base))
            stores.append(FirefoxPolicy(base=machine.base))
            if not machine.privileged:
                stores.append(NssStore(runner, home=machine.home))
    if java:
        homes = java_homes(
            privileged=machine.privileged,
            java_home=machine.environ.get("JAVA_HOME", ""),
            platform=machine.platform,
            base=machine.base,
        )
        stores.append(JavaStores(runner, homes))
    return tuple(stores)


def trust_drivers(machine: Machine) -> tuple[SettingDriver, ...]:
    """A driver for every kind of setting that trust may have changed, as a journal needs them to undo."""
    return (*trust_stores(machine, java=True), PublicFiles(machine.public, machine.store))


def roots_to_trust(machine: Machine, paths: StatePaths, now: datetime) -> tuple[Root, ...]:
    """The roots that programs of this machine are to trust, none where there is no authority yet. An account that may
    not read the agent's files finds them where everybody does. Raises HostError, PermissionError."""
    public = read_limited(PublicFiles(machine.public, machine.store).roots, limit=_PEM_LIMIT)
    return tuple(map(Root.of, readable_roots(paths, public, now)))


def trust_wanted(machine: Machine, roots: Sequence[Root], stores: Iterable[TrustStore]) -> tuple[Wanted, ...]:
    """The settings that make `roots` trusted wherever this account may do that. A store that trusts a root already,
    since device management put it there, is left alone."""
    wanted: list[Wanted] = []
    if machine.privileged and roots:
        text = "".join(root.pem for root in roots)
        wanted.append(Wanted(kind=PublicFiles.kind, scope=str(machine.public), value=text))
    for store in stores:
        for site in store.sites():
            if site.access is not Access.OPEN:
                continue
            for root in roots:
                scope = root.scope(site.place)
                if not _by_others(store, site.place, scope, root):
                    wanted.append(Wanted(kind=store.kind, scope=scope, value=root.pem))
    return tuple(wanted)


def mend(stores: Iterable[TrustStore], roots: Sequence[Root]) -> bool:
    """Have the system's files rebuilt, where somebody has made them without a root that stands in their directory;
    whether that was so. Raises HostError."""
    found = [each for each in stores if isinstance(each, LinuxStore)]
    return any(store.mend(root) for store in found for root in roots)


def withdraw(journal: Journal, roots: Iterable[Root]) -> tuple[Report, ...]:
    """Take roots that are not among `roots` any more out of the stores into which we have put them."""
    marks = {root.mark for root in roots}
    reports: list[Report] = []
    for change in reversed(journal.changes):
        if change.kind not in journal.kinds or change.kind == PublicFiles.kind:
            continue  # settings of another sort
        if parted(change.scope)[1] in marks:
            continue
        report = journal.restore_one(change.kind, change.scope)
        if report is not None:
            reports.append(report)
    return tuple(reports)


def manages(journal: Journal, roots: Iterable[Root]) -> bool:
    """Whether one of `roots` was put into a store by us, so that its successor belongs there, too."""
    marks = {root.mark for root in roots}
    return any(
        change.kind in journal.kinds - {PublicFiles.kind} and parted(change.scope)[1] in marks
        for change in journal.changes
    )


def failed(reports: Iterable[Report]) -> tuple[Report, ...]:
    """Those that are still in the journal."""
    return tuple(each for each in reports if each.undone is Undone.FAILED)


def _by_others(store: TrustStore, place: str, scope: str, root: Root) -> bool:
    try:
        return store.read(scope) is None and store.trusts(place, root)
    except HostError:
        return False  # applying it will tell


def _patient(argv: Sequence[str]) -> Completed:
    return run(argv, timeout=_TIMEOUT)
