"""What is changed and taken back, as a whole: nothing leads to us before we answer, and everything goes back."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.errors import ConfigError, HostError
from agent.host.arrangement import Aims, Arrangement, Drivers, State, aims, drivers, setup_lock
from agent.host.earlier import Earlier, read_earlier
from agent.host.journal import Undone, Wanted
from agent.host.paths import SetupPaths, StatePaths
from agent.host.proxies.gnome import SCHEMA, GnomeProxy
from agent.host.proxies.kde import KdeProxy
from agent.host.proxies.variables import EnvironmentFiles
from agent.host.settings import Settings
from agent.host.trust.files import public_bundle, public_roots
from tests.fakes.machine_settings import FakeGsettings, FakeProxySetting, Fuse, Killed, said

URL = "http://127.0.0.1:7717/proxy.pac"
PAC = 'function FindProxyForURL(u, h) { return "DIRECT"; }'
PORTS = (7717, 7718)


@dataclass
class Machine:
    """A machine with one toy proxy setting and files; what our agent and the company would answer."""

    root: Path
    proxy: FakeProxySetting = field(default_factory=lambda: FakeProxySetting({"a": None}))
    lasting: FakeProxySetting = field(
        default_factory=lambda: FakeProxySetting({"root": None}, kind="toy-trust")
    )
    serving: bool = True
    company: str | None = None
    marks: list[str] = field(default_factory=list)

    @property
    def session(self) -> Path:
        return self.root / "environment.d" / "60-drawbridge.conf"

    @property
    def arrangement(self) -> Arrangement:
        found = Drivers(
            proxies=(self.proxy,), files=EnvironmentFiles(session=self.session), lasting=(self.lasting,)
        )
        paths = SetupPaths.under(self.root / "setup", machine=False)
        return Arrangement(paths, found, fetch=self._fetch, serves=self._serves)

    def _fetch(self, url: str) -> str:
        if self.company is None:
            raise HostError(f"cannot read {url}")
        return self.company

    def _serves(self, url: str, mark: str) -> None:
        if not self.serving:
            raise HostError(f"no agent serves {url}")
        self.marks.append(mark)


AIMS = Aims(pac_url=URL, ports=PORTS, variables={"HTTPS_PROXY": "http://127.0.0.1:7717"})
TRUST = Wanted(kind="toy-trust", scope="root", value="ours")


def test_everything_is_set_and_everything_comes_back(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert [row.state for row in machine.arrangement.look(AIMS, [TRUST])] == [State.CHANGES] * 3
    rows = machine.arrangement.apply(AIMS, [TRUST])
    assert [(row.kind, row.state) for row in rows] == [
        ("toy-trust", State.CHANGED),
        ("toy-proxy", State.CHANGED),
        ("environment-file", State.CHANGED),
    ]
    assert {row.state for row in machine.arrangement.apply(AIMS, [TRUST])} == {State.ALREADY}
    assert {row.state for row in machine.arrangement.look(AIMS, [TRUST])} == {State.ALREADY}
    assert machine.proxy.values == {"a": f"a {URL}"}
    assert machine.session.exists()
    reports = machine.arrangement.restore()
    assert [report.change.kind for report in reports] == ["environment-file", "toy-proxy", "toy-trust"]
    assert (machine.proxy.values, machine.lasting.values) == ({"a": None}, {"root": None})
    assert not machine.session.exists()
    assert machine.arrangement.restore() == ()


def test_what_follows_the_agent_goes_and_trust_stays(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.arrangement.apply(AIMS, [TRUST])
    machine.arrangement.restore(everything=False)
    assert (machine.proxy.values, machine.lasting.values) == ({"a": None}, {"root": "ours"})


def test_nothing_leads_to_an_agent_that_does_not_answer(tmp_path: Path) -> None:
    machine = Machine(tmp_path, serving=False)
    rows = machine.arrangement.apply(AIMS, [TRUST])
    assert [row.state for row in rows] == [State.CHANGED, State.FAILED, State.FAILED]
    assert "no agent serves" in rows[1].reason
    assert machine.proxy.values == {"a": None}


def test_what_is_not_asked_for_any_more_goes_back(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.arrangement.apply(AIMS, [TRUST])
    rows = machine.arrangement.apply(Aims(ports=PORTS))
    assert [row.kind for row in rows] == ["toy-proxy", "environment-file"]
    assert "not asked for" in rows[0].reason
    assert (machine.proxy.values, machine.lasting.values) == ({"a": None}, {"root": "ours"})


def test_a_new_network_service_is_set_and_one_that_is_gone_is_let_go(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.arrangement.apply(AIMS)
    machine.proxy.values["b"] = "theirs"
    assert [row.scope for row in machine.arrangement.look(AIMS) if row.state is State.CHANGES] == ["b"]
    machine.arrangement.apply(AIMS)
    assert machine.proxy.values["b"] == f"b {URL}"
    machine.arrangement.restore()
    assert machine.proxy.values == {"a": None, "b": "theirs"}


def test_a_companys_file_is_read_before_anything_is_changed_and_again_from_the_journal(
    tmp_path: Path,
) -> None:
    machine = Machine(tmp_path, FakeProxySetting({"a": "http://corp/p.pac"}), company=PAC)
    machine.arrangement.apply(AIMS)
    kept = Earlier(pac_url="http://corp/p.pac", pac_text=PAC)
    assert read_earlier(tmp_path / "setup" / "earlier.json") == kept
    assert machine.marks == [kept.mark]
    assert machine.arrangement.survey(PORTS) == kept  # now that our own value stands there
    machine.company = PAC + "// new"
    assert machine.arrangement.survey(PORTS, hurried=True) == kept
    machine.company = None  # another network: the last that was read counts
    assert machine.arrangement.survey(PORTS) == kept


def test_a_companys_file_that_cannot_be_read_keeps_its_place(tmp_path: Path) -> None:
    machine = Machine(tmp_path, FakeProxySetting({"a": "http://corp/p.pac"}))
    rows = machine.arrangement.apply(AIMS)
    assert {row.state for row in rows} == {State.FAILED}
    assert "must be wrapped" in rows[0].reason
    assert machine.proxy.values == {"a": "http://corp/p.pac"}


def test_ourselves_are_not_what_was_there_before(tmp_path: Path) -> None:
    machine = Machine(tmp_path, FakeProxySetting({"a": None}, before=Earlier(https="localhost:7717")))
    assert machine.arrangement.survey(PORTS) == Earlier()


def test_what_a_setting_needs_must_be_there(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    needing = Aims(pac_url=URL, ports=PORTS, needed=(tmp_path / "bundle.pem",))
    (row,) = machine.arrangement.apply(needing)
    assert "not there yet" in row.reason


def test_one_that_cannot_be_read_fails_alone(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.lasting.broken = True
    rows = machine.arrangement.apply(AIMS, [TRUST])
    assert [row.state for row in rows] == [State.FAILED, State.CHANGED, State.CHANGED]


def test_one_process_at_a_time(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.arrangement.apply(AIMS)
    with ThreadPoolExecutor(1) as elsewhere:
        with setup_lock(machine.arrangement.paths):
            waiting = elsewhere.submit(machine.arrangement.restore)
            with pytest.raises(TimeoutError):
                waiting.result(0.1)
        assert {each.undone for each in waiting.result(20)} == {Undone.RESTORED}


def test_whoever_waits_in_vain_is_told_for_whom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.host.arrangement.PATIENCE", 0.0)
    machine = Machine(tmp_path)
    machine.arrangement.apply(AIMS)
    with (
        setup_lock(machine.arrangement.paths),
        pytest.raises(HostError, match=f"another process that changes settings .pid {os.getpid()}"),
    ):
        machine.arrangement.restore()


def test_a_system_without_environment_files_says_so(tmp_path: Path) -> None:
    paths = SetupPaths.under(tmp_path / "setup", machine=False)
    (row,) = Arrangement(paths, Drivers()).look(Aims(variables={"A": "1"}))
    assert (row.state, "Linux only" in row.reason) == (State.FAILED, True)


KDE_BEFORE = b"[Proxy Settings]\nProxyType=1\nhttpsProxy=http://p 3128"


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("step", range(1, 14))
def test_killed_anywhere_everything_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, *, late: bool
) -> None:
    """With real files: the process dies at each write of a file (the journal's too), before it or after it."""
    gsettings = FakeGsettings({(SCHEMA, "mode"): "'manual'"})
    kde, session = tmp_path / "kioslaverc", tmp_path / "env" / "60.conf"
    kde.write_bytes(KDE_BEFORE)
    fuse = Fuse(step, late)
    real: Callable[..., Path] = Path.replace

    def replace(self: Path, target: Path) -> Path:
        fuse.burn()
        done = real(self, target)
        fuse.burnt()
        return done

    def made() -> Arrangement:
        found = Drivers(
            proxies=(
                GnomeProxy(gsettings, installed=True),
                KdeProxy(kde, lambda _argv: said(), installed=True),
            ),
            files=EnvironmentFiles(session=session),
        )
        paths = SetupPaths.under(tmp_path / "setup", machine=False)
        return Arrangement(paths, found, serves=lambda _url, _mark: None)

    monkeypatch.setattr(Path, "replace", replace)
    for act in (lambda: made().apply(AIMS), lambda: made().apply(AIMS), lambda: made().restore()):
        try:
            act()
        except Killed:
            fuse.left = -1
    assert {report.undone for report in made().restore()} <= {Undone.RESTORED}
    assert (gsettings.values, kde.read_bytes(), session.exists()) == (
        {(SCHEMA, "mode"): "'manual'"},
        KDE_BEFORE,
        False,
    )


def settings(**values: object) -> Settings:
    return Settings(state_dir=Path("/s"), **values)  # type: ignore[arg-type]


def test_the_aims_of_the_settings(tmp_path: Path) -> None:
    state = StatePaths.under(tmp_path / "state")
    setup = SetupPaths.under(tmp_path / "setup", machine=False)
    assert aims(settings(), state, setup, ports=PORTS) == Aims(ports=PORTS)
    found = aims(settings(manage_proxy="pac", manage_environment="all"), state, setup, ports=PORTS)
    assert found.pac_url == URL
    assert found.variables is not None
    assert found.variables["SSL_CERT_FILE"] == str(state.bundle)
    assert found.needed == (state.bundle, state.root_certificate)
    with pytest.raises(ConfigError, match="known beforehand"):
        aims(settings(manage_proxy="pac"), state, setup, ports=(0, 7718))


def test_all_users_are_given_files_that_they_may_read(tmp_path: Path) -> None:
    state = StatePaths.under(tmp_path / "state")
    setup = SetupPaths.under(tmp_path / "setup", machine=True)
    found = aims(settings(manage_environment="all"), state, setup, ports=PORTS)
    assert found.variables is not None
    assert found.variables["SSL_CERT_FILE"] == str(public_bundle())
    assert found.needed == (public_bundle(), public_roots())


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
@pytest.mark.parametrize("machine", [True, False])
def test_every_system_has_its_drivers(platform: str, *, machine: bool) -> None:
    found = drivers(machine=machine, platform=platform)
    assert found.proxies
    assert (found.files is not None) == (platform == "linux")
    kinds = [each.kind for each in found.all]
    assert len(set(kinds)) == len(kinds)
