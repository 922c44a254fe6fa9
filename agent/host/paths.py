"""Where Drawbridge keeps its things: state, configuration and bundled policies, per platform and per case.

The only module that knows these names; it writes nothing but the directories themselves. What the files
hold belongs to the modules that write them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import platformdirs

from agent.errors import HostError
from agent.host.files import make_private_directory
from agent.host.run import Runner, run

SYSTEM_CONFIG_LINUX = Path("/etc/drawbridge")
SYSTEM_CONFIG_DARWIN = Path("/Library/Application Support/Drawbridge")
_READABLE_DIRECTORY = 0o755


@dataclass(frozen=True, slots=True, kw_only=True)
class StatePaths:
    """Every file of the state directory. Build it with `under`, make the directories with `prepare`."""

    root: Path
    device: Path  # who this machine is
    ca: Path
    root_certificate: Path  # the one users trust
    root_key: Path
    intermediate_certificate: Path
    intermediate_key: Path
    next_certificate: Path  # a root that is to take the place of the one in use
    next_key: Path
    previous_certificate: Path  # the root before, trusted until the overlap is over
    rotation: Path  # when the roots changed places
    request_key: Path  # the key for which the company was asked for a certificate
    company_certificate: Path  # an intermediate that the company issued: it signs in place of our own
    company_key: Path
    company_chain: Path  # what issued it, its root last
    roots: Path  # every root that programs are to trust now
    bundle: Path  # OS roots and ours, for programs that take one file
    audit: Path
    spool: Path  # SQLite: audit events
    audit_head: Path  # the newest link of the audit chain
    run: Path
    runfile: Path  # where a running daemon is found
    lock: Path  # held while a daemon runs
    supervisor_lock: Path  # held while a supervisor runs
    settings_request: Path  # what the supervisor asks of root, see `settings_request`
    settings_state: Path  # what became of the OS's settings, see `settings_state`
    standin: Path  # what the supervisor must know while no engine runs
    policy: Path  # the last that was in force
    clock: Path  # what time a server said last
    pause: Path  # until when AI traffic is not intercepted
    control_token: Path
    logs: Path
    justifications: Path  # reasons that people gave for what they were asked about
    feedback: Path  # findings that people say are none
    answers: Path  # SQLite: the cache of answers, sealed
    answers_key: Path  # what they are sealed with
    appearances: Path  # SQLite: which programs were seen
    inventory: Path  # which AI software was found
    sign_ins: Path  # as whom accounts of this machine have signed in; no token

    @classmethod
    def under(cls, root: Path) -> StatePaths:
        """The layout below `root`, which must be absolute (HostError)."""
        if not root.is_absolute():
            raise HostError(f"the state directory {root} is a relative path", hint="Give the whole path.")
        ca, audit, run_ = root / "ca", root / "audit", root / "run"
        return cls(
            root=root,
            device=root / "device.json",
            ca=ca,
            root_certificate=ca / "root.pem",
            root_key=ca / "root.key",
            intermediate_certificate=ca / "intermediate.pem",
            intermediate_key=ca / "intermediate.key",
            next_certificate=ca / "next.pem",
            next_key=ca / "next.key",
            previous_certificate=ca / "previous.pem",
            rotation=ca / "rotation.json",
            request_key=ca / "request.key",
            company_certificate=ca / "company.pem",
            company_key=ca / "company.key",
            company_chain=ca / "company-chain.pem",
            roots=ca / "roots.pem",
            bundle=ca / "bundle.pem",
            audit=audit,
            spool=audit / "spool.db",
            audit_head=audit / "audit.head",
            run=run_,
            runfile=run_ / "daemon.json",
            lock=run_ / "daemon.lock",
            supervisor_lock=run_ / "supervisor.lock",
            settings_request=run_ / "settings.request",
            settings_state=run_ / "settings.json",
            standin=run_ / "standin.json",
            policy=root / "policy.json",
            clock=root / "clock.json",
            pause=run_ / "pause.json",
            control_token=run_ / "control.token",
            logs=root / "logs",
            justifications=root / "justifications.jsonl",
            feedback=root / "feedback.jsonl",
            answers=root / "cache" / "answers.db",
            answers_key=root / "cache" / "answers.key",
            appearances=root / "apps.db",
            inventory=root / "inventory.json",
            sign_ins=root / "sign-ins.json",
        )

    def prepare(self) -> None:
        """Make the directories, 0700, and check those that exist (see `make_private_directory`).

        Blocks. Raises HostError for a directory that is a link, another user's, or writable by others.
        """
        make_private_directory(self.root)
        if sys.platform == "win32" and is_privileged():
            restrict_windows_directory(self.root)
        for directory in (self.ca, self.audit, self.run, self.logs):
            make_private_directory(directory)


def state_directory(
    *,
    platform: str = sys.platform,
    privileged: bool | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Path:
    """The default state directory: the machine's for root, an administrator or our service, else the user's.

    A systemd unit runs unprivileged with `StateDirectory=drawbridge`, which systemd hands down in
    STATE_DIRECTORY.
    """
    if (handed := _service_directory(platform, environ)) is not None:
        return handed
    if not (is_privileged() if privileged is None else privileged):
        return _user_state(platform)
    match platform:
        case "darwin":
            return SYSTEM_CONFIG_DARWIN / "state"
        case "win32":
            return _program_data(environ)
        case _:
            return Path("/var/lib/drawbridge")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupPaths:
    """Where it stands what was changed in the OS: one place for each user, and one for the machine, whatever state
    directory an agent has: there is one set of settings.

    The machine's is root's alone, and not below the state directory, which belongs to the service's user: what is put
    back as root must not be another's to write. `earlier` may be read by all.
    """

    directory: Path
    machine: bool
    journal: Path
    lock: Path
    earlier: Path  # where programs were led before us

    @classmethod
    def under(cls, directory: Path, *, machine: bool) -> SetupPaths:
        """The layout below `directory`."""
        return cls(
            directory=directory,
            machine=machine,
            journal=directory / "journal.json",
            lock=directory / "journal.lock",
            earlier=directory / "earlier.json",
        )

    def prepare(self) -> None:
        """Make the directory, and check it as `make_private_directory` does. Blocks. Raises HostError."""
        make_private_directory(self.directory)
        if self.machine and sys.platform == "win32":
            restrict_windows_directory(self.directory)
        elif self.machine:
            try:
                self.directory.chmod(_READABLE_DIRECTORY)
            except OSError as error:
                raise HostError(f"cannot open {self.directory} for reading: {error.strerror}") from error


def setup_paths(
    *,
    user: bool = False,
    platform: str = sys.platform,
    privileged: bool | None = None,
    environ: Mapping[str, str] = os.environ,
) -> SetupPaths:
    """The machine's for root, an administrator or our service; the user's for all others, and where `user` says so."""
    serves = bool(_service_directory(platform, environ))
    machine = not user and (serves or (is_privileged() if privileged is None else privileged))
    if not machine:
        return SetupPaths.under(_user_state(platform) / "setup", machine=False)
    match platform:
        case "darwin":
            directory = SYSTEM_CONFIG_DARWIN / "setup"
        case "win32":
            directory = _program_data(environ) / "setup"
        case _:
            directory = Path("/var/lib/drawbridge-setup")
    return SetupPaths.under(directory, machine=True)


def config_file(
    *,
    platform: str = sys.platform,
    privileged: bool | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Path:
    """Where the local `config.toml` stands by default. It need not exist.

    A systemd unit that runs unprivileged has `ConfigurationDirectory=drawbridge`, which systemd hands down in
    CONFIGURATION_DIRECTORY.
    """
    for name in environ.get("CONFIGURATION_DIRECTORY", "").split(":"):
        if PurePosixPath(name).name == "drawbridge" and platform == "linux":  # ours only, as above
            return Path(name) / "config.toml"
    if not (is_privileged() if privileged is None else privileged):
        return platformdirs.user_config_path(_app(platform), appauthor=False) / "config.toml"
    match platform:
        case "darwin":
            return SYSTEM_CONFIG_DARWIN / "config.toml"
        case "win32":
            return _program_data(environ) / "config.toml"
        case _:
            return SYSTEM_CONFIG_LINUX / "config.toml"


def bundled_policies(*, package: Path | None = None, frozen: Path | None = None) -> Path:
    """The directory of the policies that come with the program.

    In a frozen program they lie beside the code (`sys._MEIPASS/policies`), in a wheel inside the package
    (`agent/_policies`), in a source tree beside it (`policies/`). Raises HostError where none is found.
    `package` is the directory of the package `agent`, `frozen` the root of a frozen program.
    """
    package = package or Path(__file__).resolve().parent.parent
    if frozen is None and (unpacked := getattr(sys, "_MEIPASS", None)) is not None:
        frozen = Path(unpacked)
    places = [package / "_policies", package.parent / "policies"]
    if frozen is not None:
        places = [frozen / "policies", frozen / "agent" / "_policies"]
    for place in places:
        if place.is_dir():
            return place
    raise HostError(f"the bundled policies are missing from {places[0]}", hint="Install Drawbridge again.")


def is_privileged() -> bool:
    """Whether this process is root or an elevated administrator (a Windows service counts as one)."""
    if sys.platform == "win32":
        import ctypes

        return bool(ctypes.windll.shell32.IsUserAnAdmin())
    return os.geteuid() == 0


def restrict_windows_directory(path: Path, *, runner: Runner | None = None) -> None:
    """Leave `path` to SYSTEM and the administrators. Blocks.

    In %ProgramData% every user may read, and may have made the directory before us: its owner changes too.
    Raises HostError where icacls refuses.
    """
    ask = runner or (lambda argv: run(argv, timeout=30))
    # SIDs, since the names are translated: S-1-5-18 is SYSTEM, S-1-5-32-544 the administrators
    system, administrators = "*S-1-5-18", "*S-1-5-32-544"
    grants = [f"{system}:(OI)(CI)F", f"{administrators}:(OI)(CI)F"]
    icacls = str(Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "icacls.exe"))
    for change in (["/setowner", administrators], ["/inheritance:r", "/grant:r", *grants]):
        done = ask([icacls, str(path), *change, "/Q"])
        if done.code != 0:
            raise HostError(
                f"cannot restrict the directory {path} to administrators (icacls ended with {done.code})",
                hint="Set its access list by hand: SYSTEM and Administrators, full control, nobody else.",
            )


def _service_directory(platform: str, environ: Mapping[str, str]) -> Path | None:
    """The state directory that systemd hands down to our service."""
    for name in environ.get("STATE_DIRECTORY", "").split(":"):
        # a shell started by another unit inherits that unit's directory: only our own name counts
        if PurePosixPath(name).name == "drawbridge" and platform == "linux":
            return Path(name)
    return None


def tray_directory(*, platform: str = sys.platform) -> Path:
    """Where a person's tray keeps what need not outlive it."""
    return platformdirs.user_cache_path(_app(platform), appauthor=False) / "tray"


def sign_in_directory(*, platform: str = sys.platform) -> Path:
    """Where a person's own programs keep what renews a sign-in, where there is no keyring. Never the machine's."""
    return _user_state(platform) / "sign-in"


def _user_state(platform: str) -> Path:
    base = platformdirs.user_state_path(_app(platform), appauthor=False)
    # elsewhere the platform keeps state and configuration in one directory
    return base if platform == "linux" else base / "state"


def _program_data(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("PROGRAMDATA", r"C:\ProgramData"), "Drawbridge")


def _app(platform: str) -> str:
    return "drawbridge" if platform == "linux" else "Drawbridge"
