"""What is changed in the operating system, and taken back: the one place that puts settings and drivers together.

Two kinds of change. Those that lead traffic to us follow the agent: they go when it cannot serve, and come back with
it. Lasting ones (trust in our certificate) stay until they are taken back on purpose. Everything here blocks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import platformdirs

from agent.errors import ConfigError, HostError
from agent.host.canary import SILENT, Canary
from agent.host.capture_nftables import KIND as CAPTURE
from agent.host.capture_nftables import SCOPE as CAPTURE_SCOPE
from agent.host.capture_nftables import CaptureTable, ruleset
from agent.host.earlier import Earlier, first, read_earlier, write_earlier
from agent.host.journal import Change, Journal, Report, SettingDriver, Undone, Wanted
from agent.host.lock import ProcessLock, is_locked
from agent.host.pac_source import Fetch, fetch_company, wait_for
from agent.host.paths import SetupPaths, StatePaths, is_privileged
from agent.host.proxies.base import ProxySetting
from agent.host.proxies.dconf import DconfDatabase
from agent.host.proxies.gnome import GnomeProxy
from agent.host.proxies.kde import KdeProxy
from agent.host.proxies.macos import NetworkServices
from agent.host.proxies.variables import KIND, EnvironmentFiles, variables
from agent.host.proxies.windows import MachinePac, UserPac
from agent.host.settings import Settings
from agent.host.trust.files import public_bundle, public_roots

PAC_PATH = "/proxy.pac"
PATIENCE = 60.0  # seconds; rebuilding the system's files of roots takes some of them
_SERVED = 12.0  # seconds for a running agent to serve what it has just been told


class State(StrEnum):
    """What became, or is to become, of one setting."""

    ALREADY = "as it should be"
    CHANGES = "will be changed"
    CHANGED = "changed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One setting, and what became of it."""

    kind: str
    scope: str
    state: State
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aims:
    """What is to be so: where programs find the PAC file, and the variables that they are given. Nothing if empty.

    `ports` are the agent's, which no earlier setting may have meant; `needed` files must be there before."""

    pac_url: str = ""
    ports: tuple[int, ...] = ()
    needed: tuple[Path, ...] = ()
    variables: Mapping[str, str] | None = None
    capture: str = ""  # the table of nftables
    capture_port: int = 0
    uncaptured: str = ""  # why nothing can be captured, though it is asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Drivers:
    """Everything that can be changed on one system, by one audience. `lasting` stays where traffic is led away."""

    proxies: Sequence[ProxySetting] = ()
    files: EnvironmentFiles | None = None
    capture: SettingDriver | None = None
    lasting: Sequence[SettingDriver] = ()

    @property
    def following(self) -> frozenset[str]:
        """The kinds that lead traffic to us."""
        kinds = [each.kind for each in self.proxies]
        kinds += [KIND] if self.files else []
        return frozenset((*kinds, *((self.capture.kind,) if self.capture else ())))

    @property
    def all(self) -> tuple[SettingDriver, ...]:
        """Every driver."""
        files = (self.files.driver,) if self.files else ()
        return (*self.proxies, *files, *((self.capture,) if self.capture else ()), *self.lasting)


class Arrangement:
    """What is changed, for one user or for the machine."""

    def __init__(
        self,
        paths: SetupPaths,
        drivers: Drivers,
        *,
        fetch: Fetch = fetch_company,
        serves: Callable[[str, str], None] = lambda url, mark: wait_for(url, mark, seconds=_SERVED),
        canary: Canary | None = None,
    ) -> None:
        """`fetch` reads a company's PAC file; `serves` returns once a URL gives ours, and raises where it does not;
        `canary` tries captured
        connections."""
        self.paths = paths
        self._drivers = drivers
        self._fetch = fetch
        self._serves = serves
        self._canary = canary or Canary()
        self._journal = Journal(paths.journal, drivers.all)

    @property
    def following(self) -> tuple[Change, ...]:
        """The changes in force that lead traffic to us. Raises HostError."""
        return tuple(each for each in self._journal.changes if each.kind in self._drivers.following)

    def look(self, aims: Aims, lasting: Sequence[Wanted] = ()) -> tuple[Row, ...]:
        """How things are, changing nothing."""
        wanted, rows = self._wanted(aims)
        drivers = {each.kind: each for each in self._drivers.all}
        for each in (*lasting, *wanted):
            try:
                so = drivers[each.kind].read(each.scope) == each.value
                state = State.ALREADY if so else State.CHANGES
                rows.append(Row(kind=each.kind, scope=each.scope, state=state))
            except HostError as error:
                rows.append(_failed(each.kind, each.scope, error))
        return tuple(rows)

    def apply(self, aims: Aims, lasting: Sequence[Wanted] = ()) -> tuple[Row, ...]:
        """Make it so: `lasting` first, for what follows it trusts it. What led traffic to us and is no aim any more is
        undone. Raises HostError where nothing can be changed at all."""
        self.paths.prepare()
        with self._locked():
            wanted, rows = self._wanted(aims)
            rows = [*(self._apply(each) for each in lasting), *rows]
            try:
                self._ready(aims)
            except HostError as error:
                return (*rows, *(_failed(each.kind, each.scope, error) for each in wanted))
            rows += [self._apply(each) for each in wanted if each.kind != CAPTURE]
            rows += [self._capture(each, aims.capture_port) for each in wanted if each.kind == CAPTURE]
            aimed = {(each.kind, each.scope) for each in wanted}
            failed = {row.kind for row in rows if row.state is State.FAILED}
            for change in self.following:
                if (change.kind, change.scope) not in aimed and change.kind not in failed:
                    report = self._journal.restore_one(change.kind, change.scope)
                    rows += [_row(report)] if report is not None else []
            return tuple(rows)

    def restore(self, *, everything: bool = True) -> tuple[Report, ...]:
        """Undo what is in the journal, the newest first; only what leads traffic to us, unless `everything`. Raises
        HostError where the journal cannot be read, or another process is changing settings."""
        if not self.paths.directory.is_dir():
            return ()
        with self._locked():
            return self._journal.restore(None if everything else self._drivers.following)

    def release(self) -> Report | None:
        """Capture no more; whatever else leads here stays. Raises HostError."""
        with self._locked():
            return self._journal.restore_one(CAPTURE, CAPTURE_SCOPE)

    def changes(self) -> tuple[Change, ...]:
        """What `restore` would undo, newest first. Raises HostError."""
        return tuple(reversed(self._journal.changes))

    def survey(self, ports: Sequence[int], *, hurried: bool = False) -> Earlier:
        """Where programs are or were led but by us, kept for the engine. Raises HostError for a company's PAC file that
        cannot be read; `hurried` takes the text that is known rather than wait for the network."""
        found = self._earlier().without(ports)
        if found.pac_url:
            found = replace(found, pac_text=self._company(found.pac_url, hurried=hurried))
        if found != read_earlier(self.paths.earlier):
            self.paths.prepare()
            write_earlier(self.paths.earlier, found)
        return found

    def _ready(self, aims: Aims) -> None:
        """What must be so before any setting may lead to us."""
        for path in aims.needed:
            if not path.exists():
                raise HostError(f"{path} is not there yet", hint="Start the agent first.")
        if aims.pac_url:
            earlier = self.survey(aims.ports)
            self._serves(aims.pac_url, earlier.mark)

    def _capture(self, wanted: Wanted, port: int) -> Row:
        """Last, and only where it works: connections that are captured know no other way. What does not is taken back
        before anybody else misses the network."""
        try:
            self._canary.require(port)
        except HostError as error:
            return _failed(wanted.kind, wanted.scope, error)
        row = self._apply(wanted)
        if row.state is State.FAILED or self._canary.sings() is not False:
            return row
        report = self._journal.restore_one(wanted.kind, wanted.scope)
        failed = report is not None and report.undone is Undone.FAILED
        reason = SILENT + (f"; {report.reason}" if report and failed else "")
        return replace(row, state=State.FAILED, reason=reason)

    def _company(self, url: str, *, hurried: bool) -> str:
        """The company's PAC file; the last that was read where it cannot be reached now."""
        known = read_earlier(self.paths.earlier)
        kept = known.pac_text if known.pac_url == url else ""
        if hurried and kept:
            return kept
        try:
            return self._fetch(url)
        except HostError as error:
            if kept:
                return kept
            raise HostError(
                f"proxies are set by {url}, which must be wrapped and cannot be read: {error}",
                hint="The settings stay as they are until it can.",
            ) from error

    def _earlier(self) -> Earlier:
        return first(each.earlier(self._theirs(each)) for each in self._drivers.proxies if self._there(each))

    def _theirs(self, driver: ProxySetting) -> Mapping[str, str | None]:
        """What each scope says, or said before us."""
        changes = {(each.kind, each.scope): each for each in self._journal.changes}
        values: dict[str, str | None] = {}
        for scope in driver.scopes():
            now = driver.read(scope)
            change = changes.get((driver.kind, scope))
            values[scope] = change.before if change is not None and change.is_ours(now) else now
        return values

    @staticmethod
    def _there(driver: ProxySetting) -> bool:
        try:
            return bool(driver.scopes())
        except HostError:
            return False

    def _wanted(self, aims: Aims) -> tuple[list[Wanted], list[Row]]:
        """What the aims mean on this system; and what of it cannot be told."""
        wanted: list[Wanted] = []
        rows: list[Row] = []
        for driver in self._drivers.proxies if aims.pac_url else ():
            try:
                wanted += [
                    Wanted(kind=driver.kind, scope=scope, value=driver.ours(scope, aims.pac_url))
                    for scope in driver.scopes()
                ]
            except HostError as error:
                rows.append(_failed(driver.kind, "", error))
        if aims.variables is not None:
            if self._drivers.files is None:
                reason = "variables for all programs are set on Linux only"
                rows.append(Row(kind=KIND, scope="", state=State.FAILED, reason=reason))
            else:
                try:
                    texts = self._drivers.files.texts(aims.variables)
                    wanted += [Wanted(kind=KIND, scope=path, value=text) for path, text in texts.items()]
                except HostError as error:
                    rows.append(_failed(KIND, "", error))
        if aims.uncaptured:
            rows.append(Row(kind=CAPTURE, scope=CAPTURE_SCOPE, state=State.FAILED, reason=aims.uncaptured))
        if aims.capture:
            wanted.append(Wanted(kind=CAPTURE, scope=CAPTURE_SCOPE, value=aims.capture))
        return wanted, rows

    def _apply(self, wanted: Wanted) -> Row:
        outcome = self._journal.bring_about(wanted)
        if outcome.error:
            reason = _told(outcome.error, outcome.hint)
            return Row(kind=wanted.kind, scope=wanted.scope, state=State.FAILED, reason=reason)
        state = State.CHANGED if outcome.done else State.ALREADY
        return Row(kind=wanted.kind, scope=wanted.scope, state=state)

    def _locked(self) -> ProcessLock:
        return setup_lock(self.paths)


def setup_lock(paths: SetupPaths) -> ProcessLock:
    """Held by whoever changes the settings that `paths` are about; the next one waits for as long as that may take."""
    return ProcessLock(paths.lock, "process that changes settings", patience=PATIENCE)


def arrangement(
    paths: SetupPaths, *, lasting: Sequence[SettingDriver] = (), platform: str = sys.platform
) -> Arrangement:
    """What can be changed on this system, for whom `paths` are. Without `lasting` drivers no lasting change can be made
    or undone: whoever only leads traffic needs none, and none of what they load."""
    found = drivers(machine=paths.machine, platform=platform)
    return Arrangement(paths, replace(found, lasting=lasting))


def drivers(*, machine: bool, platform: str = sys.platform) -> Drivers:
    """Every driver there is, by system and audience. Root changes the machine's settings, never a user's own files."""
    match platform, machine:
        case "darwin", _:
            return Drivers(proxies=(NetworkServices(),))
        case "win32", True:
            return Drivers(proxies=(MachinePac(),))
        case "win32", False:
            return Drivers(proxies=(UserPac(),))
        case _, True:
            files = EnvironmentFiles(
                session=Path("/etc/environment.d/60-drawbridge.conf"),
                profile=Path("/etc/profile.d/drawbridge.sh"),
            )
            proxies = (DconfDatabase(), KdeProxy(Path("/etc/xdg/kioslaverc")))
            return Drivers(proxies=proxies, files=files, capture=CaptureTable())
        case _:
            config = platformdirs.user_config_path()
            files = EnvironmentFiles(session=config / "environment.d" / "60-drawbridge.conf")
            proxies_ = (GnomeProxy(), KdeProxy(config / "kioslaverc"))
            return Drivers(proxies=proxies_, files=files)


def aims(
    settings: Settings,
    paths: StatePaths,
    setup: SetupPaths,
    *,
    ports: tuple[int, int],
    here: str = sys.platform,
) -> Aims:
    """What `settings` ask for, of an agent that serves at `ports`. What cannot be captured is said in it, and holds
    nothing else up. Raises ConfigError, HostError."""
    found = _captures(settings, paths, setup, here=here)
    if settings.manage_proxy == "none" and settings.manage_environment == "none":
        return replace(found, ports=ports)
    if 0 in ports:
        raise ConfigError(
            "a setting can lead only to a port that is known beforehand",
            hint="Set proxy_port and gateway_port to numbers other than 0.",
        )
    given: Mapping[str, str] | None = None
    needed: tuple[Path, ...] = ()
    if settings.manage_environment != "none":
        bundle, root = paths.bundle, paths.root_certificate
        if setup.machine:
            bundle, root = public_bundle(), public_roots()
        needed = (bundle, root)
        given = variables(proxy_port=ports[0], bundle=bundle, root=root)
    url = f"http://127.0.0.1:{ports[0]}{PAC_PATH}" if settings.manage_proxy != "none" else ""
    return replace(found, pac_url=url, ports=ports, needed=needed, variables=given)


def _captures(settings: Settings, paths: StatePaths, setup: SetupPaths, *, here: str) -> Aims:
    """What the setting `capture` asks for. Single programs are led here by the engine itself."""
    if settings.capture != "transparent":
        return Aims()
    if here != "linux" or not setup.machine:
        return Aims(uncaptured="capture = transparent is for the installed service on Linux")
    if not settings.capture_port:
        return Aims(uncaptured="capture needs a port that is known beforehand: set capture_port")
    try:
        uid = paths.root.stat().st_uid  # whose the state is runs the engine: root's setup acts for it
    except OSError:
        return Aims(uncaptured=f"{paths.root} is not there yet")
    if is_privileged() and not is_locked(paths.supervisor_lock):
        return Aims(uncaptured="no supervisor runs, which would take capture back where it fails")
    text = ruleset(port=settings.capture_port, uid=uid)
    return Aims(capture=text, capture_port=settings.capture_port)


def _failed(kind: str, scope: str, error: HostError) -> Row:
    return Row(kind=kind, scope=scope, state=State.FAILED, reason=_told(str(error), error.hint()))


def _told(error: str, hint: str) -> str:
    return error + (f" ({hint})" if hint else "")


def _row(report: Report) -> Row:
    state = State.FAILED if report.undone is Undone.FAILED else State.CHANGED
    reason = report.reason or "taken back: it is not asked for any more"
    return Row(kind=report.change.kind, scope=report.change.scope, state=state, reason=reason)
