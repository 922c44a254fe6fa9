"""Every check of the doctor as a row, what came of one, and the exit status that all of them make. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from agent.cli.console import EXIT_DEGRADED, EXIT_FAILED, EXIT_OFF, EXIT_STALE, EXIT_UNTRUSTED


class Group(StrEnum):
    """What a check is about; the order in which they are made."""

    AGENT = "The agent"
    POLICY = "The policy"
    STATE = "The state directory"
    TRUST = "Certificates"
    WAY = "The way here"
    NETWORK = "The network"
    SIGN_IN = "Sign-in"
    OTHERS = "Other software"


class Outcome(StrEnum):
    """What came of a check."""

    OK = "ok"
    WARNING = "warning"  # worth knowing; the agent does its work
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check. `exit_code` is what a failure of it says to scripts; a warning says nothing to them."""

    id: str
    group: Group
    title: str
    remedy: str
    exit_code: int = EXIT_DEGRADED


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a check: what was seen, or why it was skipped. `remedy` only where the row's own is not exact."""

    check: Check
    outcome: Outcome
    seen: str
    remedy: str = ""

    @property
    def advice(self) -> str:
        """What to do; empty where nothing is."""
        if self.outcome in (Outcome.OK, Outcome.SKIPPED):
            return ""
        return self.remedy or self.check.remedy

    def document(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "id": self.check.id,
            "group": self.check.group.name.lower(),
            "title": self.check.title,
            "outcome": self.outcome.value,
            "seen": self.seen,
            "remedy": self.advice,
        }


def _check(id_: str, group: Group, title: str, remedy: str, exit_code: int = EXIT_DEGRADED) -> Check:
    return Check(id=id_, group=group, title=title, remedy=remedy, exit_code=exit_code)


CHECKS = (
    _check(
        "agent.running",
        Group.AGENT,
        "The engine runs and answers",
        "Start the service, or `drawbridge up`. If it ends again, its log says why.",
        EXIT_FAILED,
    ),
    _check(
        "agent.version",
        Group.AGENT,
        "What runs is what is installed",
        "Restart the service: the update takes hold with the next engine.",
    ),
    _check(
        "agent.on",
        Group.AGENT,
        "Interception is on",
        "A pause ends by itself; `drawbridge resume` ends it now.",
        EXIT_OFF,
    ),
    _check("agent.health", Group.AGENT, "The agent reports no fault", "See `drawbridge health`."),
    _check(
        "agent.ports",
        Group.AGENT,
        "The ports are ours",
        "End the other program, or choose another proxy_port and gateway_port.",
    ),
    _check(
        "agent.single",
        Group.AGENT,
        "One agent runs for this account",
        "Stop one of them: programs can be led to one only.",
    ),
    _check(
        "agent.installed_once",
        Group.AGENT,
        "Drawbridge is installed once",
        "Remove the installation that is not managed; `which -a drawbridge` lists them.",
    ),
    _check(
        "policy.loaded",
        Group.POLICY,
        "The policy on the disk is good",
        "`drawbridge policy check FILE` names every mistake with its line.",
        EXIT_STALE,
    ),
    _check(
        "policy.in_force",
        Group.POLICY,
        "The policy on the disk is in force",
        "Have it read again: SIGHUP, or restart the agent. One that was refused stands in the log.",
        EXIT_STALE,
    ),
    _check(
        "state.permissions",
        Group.STATE,
        "State and keys are private",
        "Directories must be 0700 and keys 0600, owned by the agent's account.",
    ),
    _check(
        "state.disk",
        Group.STATE,
        "There is room on the disk",
        "Make room on the disk of the state directory: events are recorded before answers end.",
    ),
    _check(
        "state.trail",
        Group.STATE,
        "The audit trail has room",
        "Collect events more often; the oldest are dropped before their time.",
    ),
    _check(
        "state.chain",
        Group.STATE,
        "The audit trail is whole",
        "`drawbridge audit verify` tells which event; keep the file for whoever investigates.",
    ),
    _check(
        "state.keys",
        Group.STATE,
        "The authority's key opens",
        "Run the doctor as the agent's account or as root; a key that is lost must come from a backup.",
    ),
    _check(
        "state.keyring",
        Group.STATE,
        "Secrets in a keyring can be read",
        "Unlock the keyring, or refer to secrets by file: or env: (a service has no keyring).",
    ),
    _check(
        "ca.valid",
        Group.TRUST,
        "The root certificate is valid",
        "`drawbridge ca rotate` makes the next root; both are trusted for a while.",
    ),
    _check(
        "trust.system",
        Group.TRUST,
        "The system trusts the root",
        "Deploy it by your MDM, or run: sudo drawbridge ca install",
        EXIT_UNTRUSTED,
    ),
    _check(
        "trust.browsers",
        Group.TRUST,
        "Browsers with stores of their own trust the root",
        "drawbridge ca install, as the user and as root",
        EXIT_UNTRUSTED,
    ),
    _check(
        "trust.python",
        Group.TRUST,
        "Python accepts a certificate of ours",
        "sudo drawbridge ca install, or set SSL_CERT_FILE to the bundle",
        EXIT_UNTRUSTED,
    ),
    _check(
        "trust.node",
        Group.TRUST,
        "Node.js accepts a certificate of ours",
        "Start programs by drawbridge exec, or set NODE_EXTRA_CA_CERTS to the file with the root.",
    ),
    _check(
        "way.proxy",
        Group.WAY,
        "The proxy answers for an AI host, with a certificate under our root",
        "Restart the agent; if its root was replaced, trust the new one (`drawbridge ca status`).",
    ),
    _check(
        "way.certificate",
        Group.WAY,
        "That certificate leads to a root of the system",
        "Deploy the root by your MDM, or run: sudo drawbridge ca install",
        EXIT_UNTRUSTED,
    ),
    _check(
        "way.pac",
        Group.WAY,
        "The PAC file names the AI hosts",
        "Restart the agent; `drawbridge catalog list` shows which hosts it must name.",
    ),
    _check(
        "way.settings",
        Group.WAY,
        "The system's settings lead here",
        "`drawbridge setup` puts them; a VPN that takes them over must leave AI hosts to Drawbridge.",
    ),
    _check(
        "way.shell",
        Group.WAY,
        "This shell's variables lead here",
        "Start programs by `drawbridge exec -- PROGRAM`, or log in again after `drawbridge setup`.",
    ),
    _check(
        "network.upstream",
        Group.NETWORK,
        "AI services can be reached",
        "Check the network, and upstream_proxy if the company has a proxy.",
    ),
    _check(
        "network.portal",
        Group.NETWORK,
        "No sign-in page holds this network",
        "Open a browser and sign in to the network.",
    ),
    _check(
        "network.issuer",
        Group.NETWORK,
        "Nothing else decrypts on the way out",
        "Exempt AI hosts in the other product, or name its root in upstream_ca_file if that is meant.",
    ),
    _check(
        "network.clock",
        Group.NETWORK,
        "The clock is right",
        "Set the clock: certificates, budgets and the times of events depend on it.",
    ),
    _check(
        "sign_in.provider",
        Group.SIGN_IN,
        "The identity provider answers as the settings name it",
        "Check the network and sign_in_issuer, which must be written exactly as the provider writes it.",
    ),
    _check(
        "sign_in.clock",
        Group.SIGN_IN,
        "The identity provider's clock and this machine's agree",
        "Set the clock: tokens are valid for minutes.",
    ),
    _check(
        "sign_in.person",
        Group.SIGN_IN,
        "This account is signed in",
        "Run: drawbridge sign-in",
    ),
    _check(
        "sign_in.store",
        Group.SIGN_IN,
        "What renews a sign-in is in a password store",
        "Unlock the session's keyring or install one, then sign in again; until then a file (0600) holds it.",
    ),
    _check(
        "others.proxies",
        Group.OTHERS,
        "No variable leads programs to another proxy",
        "If the company's proxy is meant, name it in upstream_proxy; else unset the variable.",
    ),
    _check(
        "others.security",
        Group.OTHERS,
        "No other product inspects or reroutes traffic",
        "Exempt the hosts of `drawbridge catalog list` there, or expect it to replace proxy settings and certificates.",
    ),
    _check(
        "others.debuggers",
        Group.OTHERS,
        "No debugging proxy runs",
        "End it: it takes over the system's proxy settings, and may leave them behind.",
    ),
    _check(
        "others.node",
        Group.OTHERS,
        "Node.js obeys proxy variables",
        "Update to Node.js 22.21, 24 or later: fetch of older versions ignores every proxy variable.",
    ),
)
"""Every check, in the order in which they are shown."""

_KNOWN = {each.id: each for each in CHECKS}
_ORDER = (EXIT_FAILED, EXIT_OFF, EXIT_UNTRUSTED, EXIT_STALE, EXIT_DEGRADED)


def ok(id_: str, seen: str) -> Result:
    """It is well."""
    return Result(check=_KNOWN[id_], outcome=Outcome.OK, seen=seen)


def warned(id_: str, seen: str, remedy: str = "") -> Result:
    """It is worth knowing."""
    return Result(check=_KNOWN[id_], outcome=Outcome.WARNING, seen=seen, remedy=remedy)


def failed(id_: str, seen: str, remedy: str = "") -> Result:
    """It is wrong."""
    return Result(check=_KNOWN[id_], outcome=Outcome.FAILED, seen=seen, remedy=remedy)


def skipped(id_: str, why: str) -> Result:
    """It was not looked at."""
    return Result(check=_KNOWN[id_], outcome=Outcome.SKIPPED, seen=why)


def exit_code(results: Iterable[Result]) -> int:
    """What all results say to a script: the first of not running, off, not trusted, stale, degraded; else 0."""
    codes = {each.check.exit_code for each in results if each.outcome is Outcome.FAILED}
    return next((code for code in _ORDER if code in codes), 0)


def checks_table() -> str:
    """The checks as the table of docs/doctor.md."""
    lines = ["| check | what must be so | if it is not | exit status |", "|---|---|---|---|"]
    for each in CHECKS:
        lines.append(f"| `{each.id}` | {each.title} | {each.remedy} | {each.exit_code} |")
    return "\n".join(lines) + "\n"
