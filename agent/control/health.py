"""What can be wrong with an agent, as a table, and what is wrong with one now. Pure: times are the caller's.

A warning that another one explains is not shown beside it (`follows`): who cannot write to a full disk is told of the
disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How bad it is. From `MEDIUM` on the agent is called degraded."""

    NOTE = 0  # as somebody wished
    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def word(self) -> str:
        """The lower-case name."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Warnable:
    """Something that can be wrong. `follows` are the codes of what may be its cause."""

    code: str
    title: str
    severity: Severity
    remedy: str
    follows: tuple[str, ...] = ()


WARNABLES = (
    Warnable(
        code="paused",
        title="Interception is paused",
        severity=Severity.NOTE,
        remedy="It ends by itself; `drawbridge resume` ends it now.",
    ),
    Warnable(
        code="observing",
        title="The policy only observes",
        severity=Severity.NOTE,
        remedy="`mode: enforce` in the policy carries verdicts out.",
    ),
    Warnable(
        code="disk_low",
        title="The disk is nearly full",
        severity=Severity.HIGH,
        remedy="Make room on the disk of the state directory.",
    ),
    Warnable(
        code="audit_failing",
        title="Events cannot be recorded",
        severity=Severity.HIGH,
        remedy="Check the disk and the permissions of the state directory; `drawbridge audit verify` checks the trail.",
        follows=("disk_low",),
    ),
    Warnable(
        code="audit_behind",
        title="Events wait for the disk",
        severity=Severity.MEDIUM,
        remedy="The disk is slow or busy; what waits is lost only if the agent is killed.",
        follows=("audit_failing", "disk_low"),
    ),
    Warnable(
        code="trail_full",
        title="The audit trail is full",
        severity=Severity.LOW,
        remedy="The oldest events are dropped before their time: collect them more often.",
    ),
    Warnable(
        code="policy_refused",
        title="The policy on disk was refused",
        severity=Severity.MEDIUM,
        remedy="The one before stays in force. `drawbridge policy check FILE` names every mistake; then reload.",
    ),
    Warnable(
        code="ca_expiring",
        title="The device's CA certificate ends soon",
        severity=Severity.MEDIUM,
        remedy="Have a new one made and trusted before it ends.",
        follows=("clock_skew",),
    ),
    Warnable(
        code="clock_skew",
        title="The clock of this machine is wrong",
        severity=Severity.MEDIUM,
        remedy="Set the clock: certificates, budgets and the times of events depend on it.",
    ),
    Warnable(
        code="upstream_unreachable",
        title="AI services cannot be reached",
        severity=Severity.MEDIUM,
        remedy="Check the network, and the setting upstream_proxy if the company has one.",
    ),
    Warnable(
        code="engine_restarted",
        title="The engine ended unexpectedly",
        severity=Severity.LOW,
        remedy="See the log for the cause; connections passed or waited meanwhile as the policy's `fail` says.",
        follows=("crash_loop",),
    ),
    Warnable(
        code="crash_loop",
        title="The engine keeps ending",
        severity=Severity.HIGH,
        remedy="See the log; a policy, a version or a disk that changed last is the likely cause.",
    ),
    Warnable(
        code="part_missing",
        title="A part of the agent does not work",
        severity=Severity.MEDIUM,
        remedy="See the log for the cause, then restart the agent.",
        follows=("disk_low",),
    ),
    Warnable(
        code="proxy_overridden",
        title="Something else has taken over the system's proxy setting",
        severity=Severity.MEDIUM,
        remedy="A VPN or another proxy program did that: have it leave the AI hosts to Drawbridge.",
    ),
    Warnable(
        code="proxy_failed",
        title="The system's proxy setting could not be put",
        severity=Severity.MEDIUM,
        remedy="Programs do not come here by themselves; see the log of the supervisor for the cause.",
    ),
    Warnable(
        code="capture_failed",
        title="Capture has switched itself off",
        severity=Severity.MEDIUM,
        remedy="A VPN, a firewall or a permission that was not given stands in its way; restart the service to try "
        "again, or set capture to none.",
    ),
    Warnable(
        code="sign_in_missing",
        title="Nobody can sign in",
        severity=Severity.MEDIUM,
        remedy="Set sign_in_issuer and sign_in_client; until then the policy lets nobody ask.",
    ),
    Warnable(
        code="sign_in_expired",
        title="A sign-in has expired",
        severity=Severity.LOW,
        remedy="Sign in again: the menu of the icon, or `drawbridge sign-in`.",
    ),
    Warnable(
        code="groups_left_out",
        title="The identity provider does not tell all groups",
        severity=Severity.LOW,
        remedy="Have it put only the groups that matter into ID tokens: docs/sign-in.md.",
    ),
)
"""Everything that can be wrong, the order in which it is told."""

_KNOWN = {each.code: each for each in WARNABLES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Warning:  # noqa: A001  the word of the field
    """Something that is wrong: since when (Unix seconds), and what exactly."""

    about: Warnable
    since: float
    text: str = ""

    def document(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "code": self.about.code,
            "title": self.about.title,
            "severity": self.about.severity.word,
            "since": self.since,
            "text": self.text,
            "remedy": self.about.remedy,
        }


class Health:
    """What is wrong now. Whoever knows a fact sets or clears it; `watched` replaces all that one watcher tells."""

    def __init__(self) -> None:
        self._wrong: dict[str, Warning] = {}

    def set(self, code: str, text: str = "", *, now: float) -> None:
        """This is wrong. It keeps the time at which it began. Raises KeyError for an unknown code."""
        known = self._wrong.get(code)
        self._wrong[code] = Warning(about=_KNOWN[code], since=known.since if known else now, text=text)

    def clear(self, code: str) -> None:
        """This is well."""
        self._wrong.pop(code, None)

    def watched(self, found: Mapping[str, str], among: frozenset[str], *, now: float) -> None:
        """Of the codes `among`, exactly those in `found` are wrong, each with its text."""
        for code in among - found.keys():
            self.clear(code)
        for code, text in found.items():
            self.set(code, text, now=now)

    def warnings(self) -> tuple[Warning, ...]:
        """What is wrong, the gravest first, without what another one explains."""
        shown = [
            each
            for each in self._wrong.values()
            if not any(cause in self._wrong for cause in each.about.follows)
        ]
        order = list(_KNOWN)
        return tuple(sorted(shown, key=lambda each: (-each.about.severity, order.index(each.about.code))))

    @property
    def degraded(self) -> bool:
        """Whether anything is wrong that nobody wished."""
        return any(each.about.severity >= Severity.MEDIUM for each in self.warnings())
