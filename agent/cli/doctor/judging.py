"""From what was seen to what is wrong. Pure: nothing here looks at the machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent.cli.doctor.checks import Result, failed, ok, skipped, warned
from agent.cli.doctor.facts import (
    AgentFacts,
    LineFacts,
    NetworkFacts,
    OtherFacts,
    PacFacts,
    PolicyFacts,
    SignInFacts,
    StateFacts,
    TrustFacts,
    WayFacts,
)
from agent.cli.doctor.rivals import Rival, signer
from agent.control.facts import EXPIRING_DAYS, FULL_TRAIL, LOW_DISK
from agent.host.earlier import leads_to
from agent.host.known_time import SKEW_SECONDS
from agent.host.trust.survey import Row, State

_MIB = 2**20
_NOBODY = "no agent answers"
_FAST = "left out by --fast"
TOKEN_SKEW_SECONDS = 60.0
"""More than this between two clocks, and tokens begin to be refused (at 90)."""
_MISSING_SHOWN = 3
_OWN_CHECK = frozenset({"paused", "policy_refused", "ca_expiring", "disk_low", "trail_full"})
"""Warnings of the agent that a check of ours tells."""


def agent(facts: AgentFacts) -> Iterator[Result]:
    """The agent: whether it runs, as what, alone."""
    if not facts.running:
        yield failed("agent.running", _absent(facts))
        for id_ in ("agent.version", "agent.on", "agent.health"):
            yield skipped(id_, _NOBODY)
    else:
        hours = (facts.now - facts.started_at) / 3600
        held = ", under its supervisor" if facts.supervised else ", without a supervisor"
        yield ok("agent.running", f"pid {facts.pid}, up for {hours:.1f} h{held}")
        if facts.running == facts.installed:
            yield ok("agent.version", facts.running)
        else:
            yield warned("agent.version", f"{facts.running} runs, {facts.installed} is installed")
        yield _on(facts)
        yield _health(facts)
    yield _ports(facts)
    if len(facts.agents) > 1:
        yield warned("agent.single", f"agents run on {' and '.join(facts.agents)}")
    else:
        yield ok("agent.single", facts.agents[0] if facts.agents else "none runs")
    if len(facts.programs) > 1:
        yield warned("agent.installed_once", ", ".join(facts.programs))
    else:
        yield ok("agent.installed_once", facts.programs[0] if facts.programs else "not on PATH")


def _absent(facts: AgentFacts) -> str:
    if facts.silent:
        return facts.silent
    if facts.supervised:
        return "the engine does not run; its supervisor stands in for it"
    return "neither engine nor supervisor runs"


def _on(facts: AgentFacts) -> Result:
    if facts.paused_minutes is None:
        return ok("agent.on", "not paused")
    return failed("agent.on", f"paused for {facts.paused_minutes:.0f} more minutes")


def _health(facts: AgentFacts) -> Result:
    told = [each for each in facts.warnings if each.code not in _OWN_CHECK]
    if not told:
        return ok("agent.health", "nothing")
    seen = "; ".join(each.title + (f" ({each.text})" if each.text else "") for each in told)
    bad = any(each.degrades for each in told)
    return failed("agent.health", seen) if bad else warned("agent.health", seen)


def _ports(facts: AgentFacts) -> Result:
    taken = [each for each in facts.ports if each.listening and not each.ours]
    if taken:
        told = ", ".join(
            f"{each.name} port {each.number} is held by {each.holder or 'another program'}" for each in taken
        )
        return failed("agent.ports", told)
    dead = [each for each in facts.ports if not each.listening]
    if dead and (facts.running or facts.supervised):
        return failed(
            "agent.ports",
            ", ".join(f"nobody listens on {each.name} port {each.number}" for each in dead),
            "Restart the agent.",
        )
    if dead or not facts.ports:
        return skipped("agent.ports", _NOBODY)
    return ok("agent.ports", ", ".join(f"{each.name} {each.number}" for each in facts.ports))


def policy(facts: PolicyFacts) -> Iterator[Result]:
    """The policy: whether it is good, and in force."""
    if facts.unread:
        yield skipped("policy.loaded", facts.unread)
        if facts.running is None:
            yield skipped("policy.in_force", _NOBODY)
        else:
            yield ok("policy.in_force", f"{facts.id} revision {facts.revision}, as the service says")
        return
    if facts.problem:
        yield failed("policy.loaded", f"{facts.source}: {facts.problem}", facts.hint)
        yield skipped("policy.in_force", "the one on the disk is not good")
        return
    age = f", {facts.age_days:.0f} days old" if facts.age_days >= 1 else ""
    yield ok("policy.loaded", f"{facts.id} revision {facts.revision} ({facts.source}{age})")
    if facts.running is None:
        yield skipped("policy.in_force", _NOBODY)
    elif facts.running == facts.digest:
        yield ok("policy.in_force", facts.digest[:16])
    else:
        yield failed("policy.in_force", f"{facts.running[:16]} is in force, {facts.digest[:16]} on the disk")


def state(facts: StateFacts) -> Iterator[Result]:
    """The state directory: private, with room, whole."""
    if facts.unread or not facts.there:
        why = facts.unread or f"{facts.place} does not exist yet"
        for id_ in ("state.permissions", "state.disk", "state.trail", "state.chain", "state.keys"):
            yield skipped(id_, why)
    elif facts.guarded:
        yield skipped("state.permissions", facts.guarded)
        yield _disk(facts.free_bytes)
        yield _trail(facts)
        yield skipped("state.chain", facts.guarded)
        yield skipped("state.keys", facts.guarded)
    else:
        yield (
            failed("state.permissions", ", ".join(facts.open_to_others))
            if facts.open_to_others
            else ok("state.permissions", facts.place)
        )
        yield _disk(facts.free_bytes)
        yield _trail(facts)
        yield _chain(facts)
        if facts.key_problem:
            yield failed("state.keys", facts.key_problem)
        elif not facts.key_there:
            yield skipped("state.keys", "there is no authority yet")
        else:
            yield ok("state.keys", "it opens")
    if not facts.needs_keyring:
        yield skipped("state.keyring", "the policy refers to no keyring")
    elif facts.keyring:
        yield ok("state.keyring", facts.keyring)
    else:
        yield failed("state.keyring", "this account has no usable keyring, and the policy refers to one")


def _disk(free: int | None) -> Result:
    if free is None:
        return skipped("state.disk", "the system does not say")
    seen = f"{free // _MIB} MiB are free"
    return failed("state.disk", seen) if free < LOW_DISK else ok("state.disk", seen)


def _trail(facts: StateFacts) -> Result:
    if facts.trail_bytes is None:
        return skipped("state.trail", "there is no trail yet")
    seen = f"{facts.trail_bytes // _MIB} of {facts.trail_limit // _MIB} MiB are used"
    if facts.newest_hours is not None:
        seen += f", the newest event is {facts.newest_hours:.1f} h old"
    full = facts.trail_limit and facts.trail_bytes > FULL_TRAIL * facts.trail_limit
    return warned("state.trail", seen) if full else ok("state.trail", seen)


def _chain(facts: StateFacts) -> Result:
    if facts.chain_problem:
        return failed("state.chain", facts.chain_problem)
    if facts.events is None:
        return skipped("state.chain", facts.chain_unread or _FAST)
    return ok("state.chain", f"{facts.events} events")


def trust(facts: TrustFacts) -> Iterator[Result]:
    """Our root, and who trusts it."""
    if facts.unread or facts.begins is None or facts.ends is None:
        why = facts.unread or "there is no authority yet"
        for id_ in ("ca.valid", "trust.system", "trust.browsers", "trust.python", "trust.node"):
            yield skipped(id_, why)
        return
    left = (facts.ends - facts.now).days
    if facts.now < facts.begins:
        yield failed("ca.valid", f"it begins on {facts.begins:%Y-%m-%d}", "Set the clock.")
    elif facts.now >= facts.ends:
        yield failed("ca.valid", f"it ended on {facts.ends:%Y-%m-%d}")
    elif left < EXPIRING_DAYS:
        yield warned("ca.valid", f"{left} days are left")
    else:
        yield ok("ca.valid", f"{facts.subject}, until {facts.ends:%Y-%m-%d}")
    yield _rows("trust.system", facts.system)
    yield _rows("trust.browsers", facts.browsers)
    yield _rows("trust.python", (facts.python,) if facts.python else ())
    yield _rows("trust.node", (facts.node,) if facts.node else (), gravely=False)


def _rows(id_: str, rows: Iterable[Row], *, gravely: bool = True) -> Result:
    there = [row for row in rows if row.state is not State.NOT_THERE]
    if not there:
        return skipped(id_, "this machine has none")
    missing = [row for row in there if row.state is State.MISSING]
    if missing:
        seen = "; ".join(row.name + (f": {row.reason}" if row.reason else "") for row in missing)
        say = failed if gravely else warned
        return say(id_, seen, missing[0].remedy)
    unknown = [row for row in there if row.state is not State.TRUSTED]
    if unknown:
        row = unknown[0]
        return skipped(id_, f"{row.name}: {row.reason or row.state.value}")
    return ok(id_, ", ".join(row.name for row in there))


def way(facts: WayFacts) -> Iterator[Result]:
    """How programs come here."""
    if not facts.runs:
        for id_ in ("way.proxy", "way.certificate", "way.pac"):
            yield skipped(id_, _NOBODY)
    else:
        yield from _line(facts.line)
        yield _pac(facts.pac)
    if not facts.asked:
        yield skipped("way.settings", "manage_proxy and manage_environment are none")
    elif facts.settings_problem:
        yield failed("way.settings", facts.settings_problem)
    elif facts.wrong:
        yield failed("way.settings", "; ".join(facts.wrong))
    else:
        yield ok("way.settings", ", ".join(facts.settings) or "nothing on this system")
    ours = [name for name, value in facts.variables.items() if leads_to(value, facts.ports)]
    if ours:
        yield ok("way.shell", ", ".join(ours))
    else:
        yield skipped("way.shell", "no proxy variable of this shell leads here")


def _line(line: LineFacts | None) -> Iterator[Result]:
    if line is None:
        yield skipped("way.proxy", "no catalogued host to ask for")
        yield skipped("way.certificate", "no catalogued host to ask for")
        return
    if line.problem:
        yield failed("way.proxy", f"{line.host}: {line.problem}")
        yield skipped("way.certificate", "there was none")
        return
    if not line.names_host:
        yield failed("way.proxy", f"the certificate does not name {line.host} (issuer {line.issuer})")
    elif not line.root_known:
        yield warned("way.proxy", f"{line.host}, issuer {line.issuer}; this account cannot read our root")
    elif not line.under_our_root:
        yield failed("way.proxy", f"{line.host} is signed by {line.issuer}, which is not under our root")
    else:
        yield ok("way.proxy", f"{line.host}, issuer {line.issuer}")
    if line.root_in_system is None:
        yield skipped("way.certificate", "the system's roots or ours cannot be read")
    elif line.root_in_system:
        yield ok("way.certificate", "the root is among the system's")
    else:
        yield failed("way.certificate", "the root is not among the system's")


def _pac(pac: PacFacts | None) -> Result:
    if pac is None:
        return skipped("way.pac", _NOBODY)
    if pac.problem:
        return failed("way.pac", pac.problem)
    if pac.port != pac.expected_port:
        return failed("way.pac", f"it leads to port {pac.port}, the proxy is at {pac.expected_port}")
    if pac.missing:
        more = len(pac.missing) - _MISSING_SHOWN
        told = ", ".join(pac.missing[:_MISSING_SHOWN]) + (f" and {more} more" if more > 0 else "")
        return failed("way.pac", f"it does not name {told}")
    return ok("way.pac", f"{len(pac.hosts)} hosts, to port {pac.port}")


def network(facts: NetworkFacts) -> Iterator[Result]:
    """The way out, and the clock."""
    if facts.fast:
        for id_ in ("network.upstream", "network.portal", "network.issuer"):
            yield skipped(id_, _FAST)
    else:
        yield from _out(facts)
    skews = [each.skew for each in facts.reached if each.skew is not None]
    if facts.behind_seconds > SKEW_SECONDS:
        yield failed("network.clock", f"it is {facts.behind_seconds / 60:.0f} minutes behind our own files")
    elif not skews:
        yield skipped("network.clock", _FAST if facts.fast else "no service told the time")
    elif abs(skews[0]) > SKEW_SECONDS:
        word = "behind" if skews[0] > 0 else "ahead"
        yield failed("network.clock", f"it is {abs(skews[0]) / 60:.0f} minutes {word}")
    else:
        yield ok("network.clock", f"within {max(1, round(abs(skews[0])))} s of a provider's")


def _out(facts: NetworkFacts) -> Iterator[Result]:
    well = [each for each in facts.reached if not each.problem]
    through = f" through {facts.proxy}" if facts.proxy else ""
    if well:
        yield ok("network.upstream", ", ".join(each.host for each in well) + through)
    elif facts.reached:
        told = "; ".join(f"{each.host}: {each.problem}" for each in facts.reached)
        yield failed("network.upstream", f"this machine seems offline{through} ({told})")
    else:
        yield skipped("network.upstream", "no catalogued host to ask for")
    if well:
        yield ok("network.portal", "a service answered")
    elif facts.portal is None:
        yield skipped("network.portal", facts.portal_unread or "not asked")
    elif facts.portal:
        yield failed("network.portal", facts.portal)
    else:
        yield ok("network.portal", "the network's probe was answered as it should be")
    issuers = {each.issuer for each in facts.reached if each.issuer}
    caught = {(issuer, found.name) for issuer in issuers if (found := signer(issuer)) is not None}
    if caught:
        yield warned("network.issuer", "; ".join(f"{issuer} is {name}'s" for issuer, name in sorted(caught)))
    elif issuers:
        yield ok("network.issuer", ", ".join(sorted(issuers)))
    else:
        yield skipped("network.issuer", "no service was reached")


def sign_in(facts: SignInFacts) -> Iterator[Result]:
    """Signing in."""
    if not facts.issuer:
        for id_ in ("sign_in.provider", "sign_in.clock", "sign_in.person", "sign_in.store"):
            yield skipped(id_, "sign-in is not set up")
        return
    if facts.fast:
        yield skipped("sign_in.provider", _FAST)
    elif facts.problem:
        yield failed("sign_in.provider", facts.problem, facts.hint)
    else:
        yield ok("sign_in.provider", facts.issuer)
    if facts.skew is None:
        yield skipped("sign_in.clock", _FAST if facts.fast else "the provider did not tell the time")
    elif abs(facts.skew) > TOKEN_SKEW_SECONDS:
        word = "behind" if facts.skew > 0 else "ahead"
        yield failed("sign_in.clock", f"this machine's is {abs(facts.skew):.0f} s {word}")
    else:
        yield ok("sign_in.clock", f"within {max(1, round(abs(facts.skew)))} s")
    yield _person(facts)
    yield (ok if facts.stored_safely else warned)("sign_in.store", facts.store)


def _person(facts: SignInFacts) -> Result:
    match facts.state:
        case "":
            return skipped("sign_in.person", "no agent says so")
        case "signed_in":
            return ok("sign_in.person", f"as {facts.name}")
        case "grace":
            return warned("sign_in.person", f"as {facts.name}, and it could not be renewed")
        case "expired":
            return warned("sign_in.person", f"the sign-in of {facts.name} has expired")
        case _:
            return warned("sign_in.person", "nobody is signed in")


def others(facts: OtherFacts) -> Iterator[Result]:
    """What else wants the traffic."""
    if facts.proxies and not facts.company:
        yield warned(
            "others.proxies", ", ".join(f"{name} leads to {at}" for name, at in facts.proxies.items())
        )
    elif facts.proxies:
        yield ok("others.proxies", f"{', '.join(facts.proxies)}; upstream_proxy is {facts.company}")
    else:
        yield ok("others.proxies", "none")
    yield _rivals("others.security", [each for each in facts.rivals if each.kind != "debugger"])
    yield _rivals("others.debuggers", [each for each in facts.rivals if each.kind == "debugger"])
    version = _version(facts.node)
    if version is None:
        yield skipped("others.node", "Node.js is not on PATH")
    elif (22, 21) <= version < (23, 0) or version >= (24, 0):
        yield ok("others.node", facts.node)
    else:
        yield warned("others.node", f"{facts.node} ignores proxy variables in fetch")


def _rivals(id_: str, found: list[Rival]) -> Result:
    return warned(id_, ", ".join(each.name for each in found)) if found else ok(id_, "none known runs")


def _version(text: str) -> tuple[int, int] | None:
    parts = text.strip().removeprefix("v").split(".")
    if len(parts) < 2 or not (parts[0].isdecimal() and parts[1].isdecimal()):
        return None
    return int(parts[0]), int(parts[1])
