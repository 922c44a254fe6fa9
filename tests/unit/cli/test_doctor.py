"""The doctor: what is seen, and what is said about it."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.cli.doctor import judging
from agent.cli.doctor.checks import (
    CHECKS,
    Outcome,
    Result,
    checks_table,
    exit_code,
    failed,
    ok,
    skipped,
    warned,
)
from agent.cli.doctor.command import document
from agent.cli.doctor.condition import _open, _programs
from agent.cli.doctor.facts import (
    AgentFacts,
    LineFacts,
    NetworkFacts,
    OtherFacts,
    PacFacts,
    PolicyFacts,
    Port,
    Reached,
    SignInFacts,
    StateFacts,
    TrustFacts,
    Warned,
    WayFacts,
)
from agent.cli.doctor.machinery import Machinery
from agent.cli.doctor.network import ask_proxy, judged_chain
from agent.cli.doctor.pac import read_pac
from agent.cli.doctor.rivals import RIVALS, running, signer
from agent.cli.doctor.service import Service
from agent.cli.doctor.signing_in import sign_in_facts
from agent.cli.doctor.surroundings import _shown
from agent.host.certificates import LeafIssuer, issue_intermediate, issue_root, new_key
from agent.host.paths import StatePaths
from agent.host.settings import Settings
from agent.host.settings_state import Led
from agent.host.trust.survey import Row, State
from agent.interception.pac import pac_file
from tests.fakes.identity_provider import identity_provider

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 27, tzinfo=UTC)

RUNNING = AgentFacts(
    installed="1.0",
    running="1.0",
    pid=7,
    now=3600.0,
    supervised=True,
    ports=(
        Port(name="proxy", number=7717, listening=True, ours=True),
        Port(name="gateway", number=7718, listening=True, ours=True),
    ),
    agents=("/a",),
    programs=("/usr/bin/drawbridge",),
)
POLICY = PolicyFacts(source="/p.yaml", id="mine", revision=3, digest="ab", running="ab")
STATE = StateFacts(place="/s", free_bytes=2**40, trail_bytes=2**20, trail_limit=2**28, events=3)
TRUSTED = Row(name="system", state=State.TRUSTED)
MISSING = Row(name="system", state=State.MISSING, remedy="install it")
TRUST = TrustFacts(
    now=NOW,
    subject="CN=root",
    begins=NOW - timedelta(days=1),
    ends=NOW + timedelta(days=400),
    system=(TRUSTED,),
    browsers=(TRUSTED,),
    python=TRUSTED,
    node=TRUSTED,
)
LINE = LineFacts(host="h", issuer="i", names_host=True, under_our_root=True, root_in_system=True)
PAC = PacFacts(port=7717, expected_port=7717, hosts=frozenset({"h"}))
WAY = WayFacts(runs=True, line=LINE, pac=PAC, ports=(7717, 7718))
SIGN_IN = SignInFacts(
    issuer="https://id.example", skew=0.4, state="signed_in", name="ada", store="x", stored_safely=True
)
NETWORK = NetworkFacts(reached=(Reached(host="h", issuer="Good CA", skew=0.5),))


SERVICE = Service(
    supervised=True,
    place="/var/lib/drawbridge",
    roots=(),
    manages={
        "manage_proxy": "pac",
        "manage_environment": "none",
        "manage_trust": "system",
        "capture": "none",
    },
    led=Led.HERE,
    reasons=(),
    free_bytes=2**40,
    trail_bytes=2**20,
    trail_limit=2**28,
    newest_event=NOW.timestamp() - 3600,
)


@pytest.mark.parametrize(
    ("led", "reasons", "seen"),
    [
        (Led.HERE, (), (("manage_proxy = pac",), ())),
        (Led.ASKED, (), ((), ("root was asked for them, and has not done it yet",))),
        (Led.NOT, (), ((), ("they do not lead here",))),
        (None, (), ((), ("they do not lead here",))),
        (Led.FAILED, ("dconf: no", "kde: no"), ((), ("dconf: no", "kde: no"))),
        (Led.OVERRIDDEN, (), ((), ("they are not as they should be",))),
    ],
)
def test_the_way_is_judged_by_what_the_service_says(
    led: Led | None, reasons: tuple[str, ...], seen: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    service = replace(SERVICE, led=led, reasons=reasons)
    assert service.asked
    assert service.way() == seen


def test_programs_that_the_engine_captures_are_nothing_of_the_systems() -> None:
    manages = {**SERVICE.manages, "manage_proxy": "none", "capture": "programs"}
    assert not replace(SERVICE, manages=manages, led=None).asked


def test_what_only_root_may_see_of_the_state_is_left_out_and_the_rest_is_judged() -> None:
    found = outcomes(judging.state(SERVICE.state(NOW.timestamp())))
    assert found == {
        "state.permissions": "skipped",
        "state.disk": "ok",
        "state.trail": "ok",
        "state.chain": "skipped",
        "state.keys": "skipped",
        "state.keyring": "skipped",
    }
    full = outcomes(judging.state(replace(SERVICE, free_bytes=0).state(NOW.timestamp())))
    assert full["state.disk"] == "failed"


def test_a_policy_that_this_account_may_not_read_is_the_one_the_service_tells_of() -> None:
    found = list(judging.policy(replace(POLICY, unread="not for this account")))
    assert outcomes(found) == {"policy.loaded": "skipped", "policy.in_force": "ok"}
    assert "mine revision 3" in found[1].seen


def outcomes(results: Iterable[Result]) -> dict[str, str]:
    return {each.check.id: each.outcome.value for each in results}


def test_every_check_is_made_once_and_only_known_ones_are() -> None:
    everything = [
        *judging.agent(RUNNING),
        *judging.policy(POLICY),
        *judging.state(STATE),
        *judging.trust(TRUST),
        *judging.way(WAY),
        *judging.network(NETWORK),
        *judging.sign_in(SIGN_IN),
        *judging.others(OtherFacts()),
    ]
    assert [each.check.id for each in everything] == [each.id for each in CHECKS]
    assert exit_code(everything) == 0
    assert {each.outcome for each in everything} <= {Outcome.OK, Outcome.SKIPPED}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (AgentFacts(installed="1"), {"agent.running": "failed", "agent.on": "skipped"}),
        (AgentFacts(installed="1", supervised=True), {"agent.running": "failed"}),
        (AgentFacts(installed="1", silent="no right"), {"agent.running": "failed"}),
        (replace(RUNNING, running="0.9"), {"agent.version": "warning"}),
        (replace(RUNNING, paused_minutes=5.0), {"agent.on": "failed"}),
        (
            replace(RUNNING, warnings=(Warned(code="x", title="X", text="", degrades=True),)),
            {"agent.health": "failed"},
        ),
        (
            replace(RUNNING, warnings=(Warned(code="x", title="X", text="", degrades=False),)),
            {"agent.health": "warning"},
        ),
        (
            replace(RUNNING, warnings=(Warned(code="paused", title="X", text="", degrades=False),)),
            {"agent.health": "ok"},
        ),
        (
            replace(RUNNING, ports=(Port(name="proxy", number=1, listening=True, ours=False),)),
            {"agent.ports": "failed"},
        ),
        (
            replace(RUNNING, ports=(Port(name="proxy", number=1, listening=False, ours=False),)),
            {"agent.ports": "failed"},
        ),
        (replace(RUNNING, agents=("/a", "/b")), {"agent.single": "warning"}),
        (replace(RUNNING, programs=("/a", "/b")), {"agent.installed_once": "warning"}),
    ],
)
def test_the_agent(facts: AgentFacts, expected: dict[str, str]) -> None:
    assert outcomes(judging.agent(facts)).items() >= expected.items()


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (replace(POLICY, problem="line 3"), {"policy.loaded": "failed", "policy.in_force": "skipped"}),
        (replace(POLICY, running="cd"), {"policy.loaded": "ok", "policy.in_force": "failed"}),
        (replace(POLICY, running=None), {"policy.in_force": "skipped"}),
    ],
)
def test_the_policy(facts: PolicyFacts, expected: dict[str, str]) -> None:
    assert outcomes(judging.policy(facts)).items() >= expected.items()


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (replace(STATE, there=False), {"state.permissions": "skipped", "state.chain": "skipped"}),
        (replace(STATE, unread="no right"), {"state.disk": "skipped"}),
        (replace(STATE, open_to_others=("/s/ca (mode 0755)",)), {"state.permissions": "failed"}),
        (replace(STATE, free_bytes=2**20), {"state.disk": "failed"}),
        (replace(STATE, free_bytes=None), {"state.disk": "skipped"}),
        (replace(STATE, trail_bytes=2**28), {"state.trail": "warning"}),
        (replace(STATE, trail_bytes=None), {"state.trail": "skipped"}),
        (replace(STATE, chain_problem="event 2"), {"state.chain": "failed"}),
        (replace(STATE, events=None), {"state.chain": "skipped"}),
        (replace(STATE, key_problem="sealed"), {"state.keys": "failed"}),
        (replace(STATE, key_there=False), {"state.keys": "skipped"}),
        (replace(STATE, needs_keyring=True), {"state.keyring": "failed"}),
        (replace(STATE, needs_keyring=True, keyring="x"), {"state.keyring": "ok"}),
    ],
)
def test_the_state(facts: StateFacts, expected: dict[str, str]) -> None:
    assert outcomes(judging.state(facts)).items() >= expected.items()


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (TrustFacts(now=NOW), {"ca.valid": "skipped", "trust.node": "skipped"}),
        (replace(TRUST, ends=NOW + timedelta(days=5)), {"ca.valid": "warning"}),
        (replace(TRUST, ends=NOW), {"ca.valid": "failed"}),
        (replace(TRUST, begins=NOW + timedelta(days=1)), {"ca.valid": "failed"}),
        (replace(TRUST, system=(MISSING,)), {"trust.system": "failed"}),
        (replace(TRUST, browsers=(replace(TRUSTED, state=State.NOT_THERE),)), {"trust.browsers": "skipped"}),
        (replace(TRUST, browsers=(replace(TRUSTED, state=State.UNKNOWN),)), {"trust.browsers": "skipped"}),
        (replace(TRUST, python=MISSING), {"trust.python": "failed"}),
        (replace(TRUST, node=MISSING), {"trust.node": "warning"}),
    ],
)
def test_trust(facts: TrustFacts, expected: dict[str, str]) -> None:
    assert outcomes(judging.trust(facts)).items() >= expected.items()


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (replace(WAY, runs=False), {"way.proxy": "skipped", "way.pac": "skipped"}),
        (replace(WAY, line=None), {"way.proxy": "skipped"}),
        (replace(WAY, line=replace(LINE, problem="x")), {"way.proxy": "failed"}),
        (replace(WAY, line=replace(LINE, names_host=False)), {"way.proxy": "failed"}),
        (replace(WAY, line=replace(LINE, under_our_root=False)), {"way.proxy": "failed"}),
        (replace(WAY, line=replace(LINE, root_known=False)), {"way.proxy": "warning"}),
        (replace(WAY, line=replace(LINE, root_in_system=False)), {"way.certificate": "failed"}),
        (replace(WAY, line=replace(LINE, root_in_system=None)), {"way.certificate": "skipped"}),
        (replace(WAY, pac=replace(PAC, port=1)), {"way.pac": "failed"}),
        (replace(WAY, pac=replace(PAC, missing=("a", "b", "c", "d"))), {"way.pac": "failed"}),
        (replace(WAY, asked=True, settings=("gnome",)), {"way.settings": "ok"}),
        (replace(WAY, asked=True, wrong=("gnome differs",)), {"way.settings": "failed"}),
        (replace(WAY, asked=True, settings_problem="x"), {"way.settings": "failed"}),
        (replace(WAY, variables={"HTTPS_PROXY": "http://127.0.0.1:7717"}), {"way.shell": "ok"}),
        (replace(WAY, variables={"HTTPS_PROXY": "http://proxy:7717"}), {"way.shell": "skipped"}),
    ],
)
def test_the_way(facts: WayFacts, expected: dict[str, str]) -> None:
    assert outcomes(judging.way(facts)).items() >= expected.items()


DEAD = Reached(host="h", problem="no answer in time")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (NetworkFacts(fast=True), {"network.upstream": "skipped", "network.clock": "skipped"}),
        (NetworkFacts(reached=(DEAD,), portal="login"), {"network.portal": "failed"}),
        (NetworkFacts(reached=(DEAD,), portal=""), {"network.upstream": "failed", "network.portal": "ok"}),
        (NetworkFacts(reached=(DEAD,)), {"network.portal": "skipped", "network.issuer": "skipped"}),
        (
            NetworkFacts(reached=(replace(DEAD, issuer="Zscaler Intermediate Root CA"),)),
            {"network.issuer": "warning"},
        ),
        (NetworkFacts(reached=(Reached(host="h", skew=-4000.0),)), {"network.clock": "failed"}),
        (NetworkFacts(fast=True, behind_seconds=9e5), {"network.clock": "failed"}),
        (NETWORK, {"network.upstream": "ok", "network.issuer": "ok", "network.clock": "ok"}),
    ],
)
def test_the_network(facts: NetworkFacts, expected: dict[str, str]) -> None:
    assert outcomes(judging.network(facts)).items() >= expected.items()


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (OtherFacts(proxies={"HTTPS_PROXY": "http://p"}), {"others.proxies": "warning"}),
        (OtherFacts(proxies={"HTTPS_PROXY": "http://p"}, company="http://p"), {"others.proxies": "ok"}),
        (OtherFacts(rivals=running(["ZSATunnel.exe"])), {"others.security": "warning"}),
        (OtherFacts(rivals=running(["mitmdump"])), {"others.debuggers": "warning"}),
        (OtherFacts(node="v20.1.0"), {"others.node": "warning"}),
        (OtherFacts(node="v22.21.0"), {"others.node": "ok"}),
        (OtherFacts(node="v23.5.0"), {"others.node": "warning"}),
        (OtherFacts(node="v24.0.0"), {"others.node": "ok"}),
        (OtherFacts(node="nonsense"), {"others.node": "skipped"}),
    ],
)
def test_other_software(facts: OtherFacts, expected: dict[str, str]) -> None:
    assert outcomes(judging.others(facts)).items() >= expected.items()


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (SignInFacts(), {"sign_in.provider": "skipped", "sign_in.store": "skipped"}),
        (replace(SIGN_IN, fast=True, skew=None), {"sign_in.provider": "skipped", "sign_in.clock": "skipped"}),
        (replace(SIGN_IN, problem="it answers 404", skew=None), {"sign_in.provider": "failed"}),
        (replace(SIGN_IN, skew=61.0), {"sign_in.clock": "failed"}),
        (replace(SIGN_IN, skew=-61.0), {"sign_in.clock": "failed"}),
        (replace(SIGN_IN, state=""), {"sign_in.person": "skipped"}),
        (replace(SIGN_IN, state="grace"), {"sign_in.person": "warning"}),
        (replace(SIGN_IN, state="expired"), {"sign_in.person": "warning"}),
        (replace(SIGN_IN, state="signed_out"), {"sign_in.person": "warning"}),
        (replace(SIGN_IN, stored_safely=False), {"sign_in.store": "warning"}),
    ],
)
def test_sign_in(facts: SignInFacts, expected: dict[str, str]) -> None:
    assert outcomes(judging.sign_in(facts)).items() >= expected.items()


def test_the_provider_of_the_settings_is_asked_where_no_agent_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("agent.signin.here.system_backend", lambda: None)
    with identity_provider() as provider:
        settings = Settings(state_dir=tmp_path / "state", sign_in_issuer=provider.issuer, sign_in_client="x")
        found = sign_in_facts(Machinery(settings=settings, environ={}))
        assert (found.problem, found.stored_safely) == ("", False)
        assert found.skew is not None
        assert abs(found.skew) < 30
        provider.in_discovery = lambda word: word.update(issuer="https://evil.example")
        assert (
            "calls itself https://evil.example"
            in sign_in_facts(Machinery(settings=settings, environ={})).problem
        )
        assert sign_in_facts(Machinery(settings=settings, environ={}, fast=True)).problem == ""
    assert (
        sign_in_facts(Machinery(settings=Settings(state_dir=tmp_path / "state"), environ={})) == SignInFacts()
    )


def test_the_exit_status_is_the_gravest() -> None:
    not_trusted, paused = failed("trust.system", ""), failed("agent.on", "")
    assert exit_code([ok("ca.valid", ""), warned("agent.single", ""), skipped("way.pac", "")]) == 0
    assert exit_code([failed("state.disk", "")]) == 10
    assert exit_code([failed("policy.loaded", ""), failed("state.disk", "")]) == 40
    assert exit_code([failed("policy.loaded", ""), not_trusted]) == 30
    assert exit_code([not_trusted, paused]) == 20
    assert exit_code([failed("agent.running", ""), paused]) == 1


def test_the_json_has_the_shape_that_scripts_know() -> None:
    told = document([failed("trust.system", "missing", "do this"), ok("ca.valid", "good")])
    assert set(told) == {"schema", "version", "platform", "at", "verdict", "exit_code", "checks"}
    assert (told["schema"], told["verdict"], told["exit_code"]) == (1, "not_trusted", 30)
    assert told["checks"] == [
        {
            "id": "trust.system",
            "group": "trust",
            "title": "The system trusts the root",
            "outcome": "failed",
            "seen": "missing",
            "remedy": "do this",
        },
        {
            "id": "ca.valid",
            "group": "trust",
            "title": "The root certificate is valid",
            "outcome": "ok",
            "seen": "good",
            "remedy": "",
        },
    ]


def test_the_page_has_the_table_of_now() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert checks_table() in page


def test_a_pac_file_of_ours_is_read_back() -> None:
    hosts = {"api.openai.com", "*.mistral.ai"}
    told = read_pac(pac_file(hosts, 7717), wanted=hosts, port=7717)
    assert (told.problem, told.port, told.missing) == ("", 7717, ())
    assert read_pac(pac_file(hosts, 7717), wanted={"a.example"}, port=7717).missing == ("a.example",)
    assert read_pac("function FindProxyForURL(){}", wanted=(), port=1).problem


def test_a_chain_is_followed_up_to_our_root() -> None:
    key, now = new_key(), datetime.now(UTC)
    root = issue_root(key, hostname="m", now=now)
    between = new_key()
    signer_ = issue_intermediate(
        between, root=root, root_key=key, permitted=frozenset({"api.openai.com"}), now=now
    )
    leaf = LeafIssuer(intermediate=signer_, intermediate_key=between, leaf_key=new_key()).issue(
        "api.openai.com", now=now
    )
    told = judged_chain("api.openai.com", [leaf, signer_], roots=[root], system=[])
    assert (told.names_host, told.under_our_root, told.root_in_system) == (True, True, False)
    other = issue_root(new_key(), hostname="m", now=now)
    assert not judged_chain("api.openai.com", [leaf, signer_], roots=[other], system=[]).under_our_root
    assert not judged_chain("api.groq.com", [leaf, signer_], roots=[root], system=[]).names_host


def test_a_port_on_which_nobody_listens_is_no_proxy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert ask_proxy(port, "h.example", roots=(), system=None, root_known=False).problem


def test_rivals_are_known_by_their_certificates_and_programs() -> None:
    found = signer("CN=Zscaler Root CA, O=Zscaler Inc.")
    assert found is not None
    assert found.name == "Zscaler"
    assert signer("Let's Encrypt") is None
    names = [*(name for each in RIVALS for name in (*each.processes, *each.issuers))]
    assert names == [name.lower() for name in names]


def test_keys_that_others_may_read_are_told(tmp_path: Path) -> None:
    paths = StatePaths.under(tmp_path / "s")
    paths.prepare()
    paths.root_key.write_text("k")
    paths.root_key.chmod(0o600)
    assert list(_open(paths)) == []
    paths.root_key.chmod(0o640)
    assert list(_open(paths)) == [f"{paths.root_key} (mode 0640)"]


def test_one_program_found_twice_is_one_installation(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "drawbridge").write_text("#!/bin/sh\n")
    (tmp_path / "a" / "drawbridge").chmod(0o755)
    (tmp_path / "b" / "drawbridge").symlink_to(tmp_path / "a" / "drawbridge")
    path = f"{tmp_path}/a:{tmp_path}/b:{tmp_path}/c"
    assert _programs(path) == (f"{tmp_path}/a/drawbridge",)


def test_a_proxys_password_is_not_shown() -> None:
    assert _shown("http://me:secret@proxy.example:3128/x") == "http://proxy.example:3128"
