"""Tells apps: from what the operating system says of a process, and from what a request says of itself. Pure.

The process comes first. What a request says refines it only where the app lives in that process (an editor's
extension), and is noted as a claim everywhere else: no header makes a program into one that it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import pairwise

from agent.catalog.patterns import fits, is_plain
from agent.model.app import App, AppKind, Asker, Evidence
from agent.model.traffic import UNSIGNED, Connection, Process, Program, Signature

_MAX_VALUE = 512  # bytes of a header that are looked at
# directories in which the programs of many makers stand side by side
_SHARED = frozenset({"bin", "sbin", "libexec", "applications", "system32", "games"})

type _Fits = Callable[[str], bool]
type _Told = tuple[App | None, Evidence]


class Apps:
    """The apps in force, ready to be told. The first row that fits counts; a later row with the same id replaces the
    earlier."""

    def __init__(self, apps: Iterable[App]) -> None:
        self._apps = {app.id: app for app in apps}
        rows = tuple(self._apps.values())
        self._names = _Table((name, app) for app in rows for name in app.names)
        self._bundles = _Table((name, app) for app in rows for name in app.bundles)
        self._modules = {name: app for app in reversed(rows) for name in app.modules}
        self._paths = [(part.lower(), app) for app in rows for part in app.paths]
        self._scripts = [(part.lower(), app) for app in rows for part in app.scripts]
        self._packages = {name: app for app in reversed(rows) for name in app.packages}
        self._signing_ids = {name: app for app in reversed(rows) for name in app.signing_ids}
        self._agents = {name.lower(): app.id for app in reversed(rows) for name in app.user_agents}
        marks: dict[bytes, list[tuple[_Fits, str]]] = {}
        for app in rows:
            for mark in app.headers:
                marks.setdefault(mark.name.encode(), []).append((_glob(mark.value), app.id))
        self._marks: Mapping[bytes, list[tuple[_Fits, str]]] = marks
        self.told_by = frozenset({b"user-agent", *marks})
        """The headers by which apps are told."""

    def __iter__(self) -> Iterator[App]:
        return iter(self._apps.values())

    def get(self, app_id: str) -> App | None:
        """The app of that id."""
        return self._apps.get(app_id)

    def claimed(self, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """The id of the app that a request's headers name, empty where they name none. Names are lower case."""
        agent = b""
        for name, value in headers:
            if (marks := self._marks.get(name)) is not None:
                text = value[:_MAX_VALUE].decode("latin-1").lower()
                for is_it, app_id in marks:
                    if is_it(text):
                        return app_id
            if name == b"user-agent":
                agent = value
        product = agent[:_MAX_VALUE].decode("latin-1").lower().partition(" ")[0]
        while product:
            if (found := self._agents.get(product)) is not None:
                return found
            product = product.rpartition("/")[0]  # claude-cli/2.0.1
        return ""

    def asker(self, connection: Connection, claimed: str = "", endpoint: str = "") -> Asker:
        """Who asks by a request on `connection` that names the app `claimed` and goes to a path of `endpoint`'s."""
        seen, within = connection.app, connection.within
        if seen:
            guest = self._apps.get(claimed)
            if guest is not None and seen in guest.hosted_by:
                return Asker(
                    app=claimed, evidence=Evidence.CLAIMED, seen=seen, claimed=claimed, within=(seen, *within)
                )
            return Asker(app=seen, evidence=connection.evidence, seen=seen, claimed=claimed, within=within)
        if claimed:
            return Asker(app=claimed, evidence=Evidence.CLAIMED, claimed=claimed, within=within)
        if endpoint:
            return Asker(app=endpoint, evidence=Evidence.ENDPOINT, within=within)
        return Asker(within=within)

    def behind(self, process: Process) -> Asker:
        """The app that a process is, and those that started it. No claim is known of it yet."""
        line = process.line or (Program(name=process.name, executable=process.executable),)
        app, evidence = self._program(line[0], process.signature)
        if app is None and process.sandbox:  # whoever starts a sandbox may name it
            app = self._packages.get(process.sandbox)
            evidence = Evidence.PROCESS if app is not None else Evidence.NONE
        elders = [self._program(each, UNSIGNED)[0] for each in line[1:]]
        known = [each for each in elders if each is not None and each.kind is not AppKind.TOOL]
        if (app is None or app.kind is AppKind.TOOL) and known:
            elder = line[1 + elders.index(known[0])]
            if _beside(line[0].executable, elder.executable):  # a helper that came with it
                app, evidence = known[0], Evidence.PROCESS
        name = app.id if app is not None else ""
        ids = [name, *(each.id for each in known)]
        within = tuple(later for earlier, later in pairwise(ids) if later != earlier)
        return Asker(app=name, evidence=evidence, seen=name, within=within)

    def _program(self, program: Program, signature: Signature) -> _Told:
        if signature.verified:
            by_id = self._signing_ids.get(signature.identifier)
            if by_id is not None and signature.team in by_id.teams:
                return by_id, Evidence.SIGNED
        if program.script:
            if (hosted := self._hosted(program)) is not None:
                return hosted, Evidence.PROCESS
            found = self._named(_stem(program.executable))  # the interpreter itself
            return found, Evidence.PROCESS if found is not None else Evidence.NONE
        found = self._bundles.get(program.bundle) if program.bundle else None
        found = found or _first(self._paths, program.executable) or self._named(program.name)
        if signature.verified:
            if found is None:
                found = self._packages.get(signature.package)
                return found, Evidence.SIGNED if found is not None else Evidence.NONE
            if _vouches(signature, found):
                return found, Evidence.SIGNED
        return found, Evidence.PROCESS if found is not None else Evidence.NONE

    def _hosted(self, program: Program) -> App | None:
        if program.is_module:
            return self._modules.get(program.script.partition(".")[0])
        return _first(self._scripts, program.script) or self._named(program.name)

    def _named(self, name: str) -> App | None:
        return self._names.get(name.lower().removesuffix(".exe")) if name else None


class _Table:
    """Names, some of them globs, without case."""

    def __init__(self, rows: Iterable[tuple[str, App]]) -> None:
        self._exact: dict[str, App] = {}
        self._globs: list[tuple[_Fits, App]] = []
        for pattern, app in rows:
            if "*" in pattern:
                self._globs.append((_glob(pattern), app))
            else:
                self._exact.setdefault(pattern.lower(), app)

    def get(self, name: str) -> App | None:
        name = name.lower()
        if (found := self._exact.get(name)) is not None:
            return found
        return next((app for is_it, app in self._globs if is_it(name)), None)


def _vouches(signature: Signature, app: App) -> bool:
    """Whether it is the app's own maker who vouches."""
    return (
        (bool(signature.team) and signature.team in app.teams)
        or (bool(signature.package) and signature.package in app.packages)
        or (bool(signature.signer) and signature.signer in app.signers)
    )


def _first(parts: list[tuple[str, App]], path: str) -> App | None:
    """The first app a part of whose path occurs in `path`."""
    if not path:
        return None
    plain = path.replace("\\", "/").lower()
    return next((app for part, app in parts if part in plain), None)


def _beside(executable: str, elder: str) -> bool:
    """Whether a program stands in, or below, the directory of the one that started it, and that directory is the
    elder's own."""
    home = elder.replace("\\", "/").rpartition("/")[0].lower()
    if home.count("/") < 2 or home.rpartition("/")[2] in _SHARED:
        return False
    return executable.replace("\\", "/").lower().startswith(f"{home}/")


def _stem(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _glob(pattern: str) -> _Fits:
    """Whether a text in lower case is as `pattern` says."""
    wanted = pattern.lower()
    if wanted.endswith("*") and is_plain(wanted[:-1]):  # nearly all of them
        return lambda text: text.startswith(wanted[:-1])
    return partial(fits, wanted)
