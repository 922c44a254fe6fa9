"""From facts of the running agent to what is wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from agent.host.known_time import SKEW_SECONDS
from agent.host.settings_state import Led, SettingsState
from agent.model.record import Outcome
from agent.telemetry.recent import Line

LOW_DISK = 200 * 1024 * 1024  # bytes that are free
FULL_TRAIL = 0.97  # of its limit
EXPIRING_DAYS = 30
UNREACHABLE_AFTER = 3  # exchanges in a row that reached nobody …
UNREACHABLE_FOR = 300.0  # … the last of them so many seconds ago at most
LOOP = 5  # unexpected ends in an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is looked at. Times are Unix seconds."""

    now: float
    paused_until: float | None = None
    observing: bool = False
    free_bytes: int | None = None
    audit_trouble: str = ""
    audit_waiting: int = 0
    audit_room: int = 4096
    trail_bytes: int = 0
    trail_limit: int = 0
    policy_problem: str = ""
    ca_ends: datetime | None = None
    newest_event: float = 0.0
    clock_ahead: float = 0.0  # seconds, as servers say
    lines: tuple[Line, ...] = ()  # the last exchanges, oldest first
    engine_deaths: int = 0  # within the last hour
    parts_missing: tuple[str, ...] = ()
    uncaptured: str = ""  # why programs are not captured that should be
    led: SettingsState | None = None  # what became of the OS's proxy settings
    sign_in_missing: bool = False  # the policy wants people to sign in, and the settings do not say where
    expired: tuple[str, ...] = ()  # accounts whose sign-in has expired
    ungrouped: tuple[str, ...] = ()  # accounts whose groups the identity provider left out


def assess(facts: Facts) -> dict[str, str]:
    """The codes of what is wrong, each with what exactly."""
    return {code: text for code, probe in _PROBES.items() if (text := probe(facts))}


def _paused(facts: Facts) -> str:
    until = facts.paused_until
    return "" if until is None else f"{max(until - facts.now, 0) / 60:.0f} more minutes"


def _disk(facts: Facts) -> str:
    free = facts.free_bytes
    return "" if free is None or free >= LOW_DISK else f"{free // 2**20} MiB are free"


def _waiting(facts: Facts) -> str:
    return f"{facts.audit_waiting} events wait" if facts.audit_waiting * 2 > facts.audit_room else ""


def _trail(facts: Facts) -> str:
    used, limit = facts.trail_bytes, facts.trail_limit
    if not limit or used <= FULL_TRAIL * limit:
        return ""
    return f"{used // 2**20} of {limit // 2**20} MiB are used"


def _authority(facts: Facts) -> str:
    if facts.ca_ends is None:
        return ""
    days = (facts.ca_ends.timestamp() - facts.now) / 86_400
    return f"{days:.0f} days are left" if days < EXPIRING_DAYS else ""


def _clock(facts: Facts) -> str:
    if wrong := facts.clock_ahead:
        return f"it is {abs(wrong) / 60:.0f} minutes {'ahead' if wrong > 0 else 'behind'}, as servers say"
    ahead = facts.newest_event - facts.now
    return f"the trail has an event from {ahead / 60:.0f} minutes ahead" if ahead > SKEW_SECONDS else ""


def _led(facts: Facts, wrong: Led) -> str:
    led = facts.led
    return (
        ""
        if led is None or led.led is not wrong
        else "; ".join(led.reasons) or "the system's settings differ"
    )


def _deaths(facts: Facts) -> str:
    return f"{facts.engine_deaths} times within an hour"


_PROBES: Mapping[str, Callable[[Facts], str]] = {
    "paused": _paused,
    "observing": lambda facts: "verdicts are recorded, not carried out" if facts.observing else "",
    "disk_low": _disk,
    "audit_failing": lambda facts: facts.audit_trouble,
    "audit_behind": _waiting,
    "trail_full": _trail,
    "policy_refused": lambda facts: facts.policy_problem,
    "ca_expiring": _authority,
    "clock_skew": _clock,
    "upstream_unreachable": lambda facts: _unreachable(facts.lines, facts.now),
    "engine_restarted": lambda facts: _deaths(facts) if 0 < facts.engine_deaths < LOOP else "",
    "crash_loop": lambda facts: _deaths(facts) if facts.engine_deaths >= LOOP else "",
    "proxy_overridden": lambda facts: _led(facts, Led.OVERRIDDEN),
    "capture_failed": lambda facts: facts.uncaptured or _led(facts, Led.CAPTURE_FAILED),
    "proxy_failed": lambda facts: _led(facts, Led.FAILED),
    "part_missing": lambda facts: "; ".join(facts.parts_missing),
    "sign_in_missing": lambda facts: "the policy requires it" if facts.sign_in_missing else "",
    "sign_in_expired": lambda facts: ", ".join(facts.expired),
    "groups_left_out": lambda facts: ", ".join(facts.ungrouped),
}
WATCHED = frozenset(_PROBES)
"""The codes that `assess` decides; others are set by whoever knows."""


def _unreachable(lines: Iterable[Line], now: float) -> str:
    """Where the last exchanges all reached nobody: whom. One that was answered proves the network."""
    failed = 0
    providers: set[str] = set()
    for line in reversed(tuple(lines)):
        if now - line.ended > UNREACHABLE_FOR:
            break
        if line.outcome != Outcome.UPSTREAM_FAILED.value:
            if line.status is not None:
                return ""
            continue
        failed += 1
        providers.add(line.provider or "?")
        if failed >= UNREACHABLE_AFTER:
            return f"the last {failed} requests reached nobody ({', '.join(sorted(providers))})"
    return ""
