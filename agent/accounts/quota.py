"""What a key has used and has left, as its owner may read it. Pure; the shape is documented in docs/accounts.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from agent.accounts.book import KeyEntry
from agent.accounts.meters import NANO, Meter, Unit
from agent.accounts.store import Use
from agent.accounts.tally import Reading
from agent.accounts.windows import Calendar, Rolling

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaReport:
    """A key, its meters as they stand, and its last 30 days. `used` includes what is reserved by calls under way."""

    key: str
    team: str
    customer: str
    active: bool
    expires: str
    at: float
    meters: tuple[tuple[Meter, Reading], ...]
    history: tuple[Use, ...]

    def document(self) -> dict[str, Json]:
        """As JSON."""
        return {
            "object": "quota",
            "key": self.key,
            "team": self.team or None,
            "customer": self.customer or None,
            "active": self.active,
            "expires": self.expires or None,
            "at": _moment(self.at),
            "budgets": [_row(*each) for each in self.meters if each[0].budget],
            "limits": [_row(*each) for each in self.meters if not each[0].budget],
            "history": [_day(each) for each in self.history],
        }


def standing(
    entry: KeyEntry, meters: Sequence[tuple[Meter, Reading]], history: Sequence[Use], now: float
) -> QuotaReport:
    """The report of a key."""
    return QuotaReport(
        key=entry.row.id,
        team=entry.team.id if entry.team is not None else "",
        customer=entry.customer.id if entry.customer is not None else "",
        active=entry.row.active and (entry.expires_at is None or now < entry.expires_at),
        expires=entry.row.expires or "",
        at=now,
        meters=tuple(meters),
        history=tuple(history),
    )


def _row(meter: Meter, reading: Reading) -> dict[str, Json]:
    row: dict[str, Json] = {
        "tier": meter.tier.value,
        "owner": meter.owner,
        "name": meter.name,
        "unit": "usd" if meter.unit is Unit.NANO_USD else meter.unit.value,
        "used": _amount(meter.unit, reading.used),
        "limit": _amount(meter.unit, meter.limit),
        "left": _amount(meter.unit, max(0, meter.limit - reading.used)),
    }
    match meter.window:
        case Rolling() as window:
            row["window"] = "rolling"
            row["seconds"] = window.width * window.count
        case Calendar() as window:
            row["window"] = "calendar"
            row["per"] = window.per.value
            row["time_zone"] = window.zone_name
            row["resets_at"] = _moment(reading.resets_at)
        case None:
            row["window"] = None
    return row


def _amount(unit: Unit, amount: int) -> int | float:
    return amount / NANO if unit is Unit.NANO_USD else amount


def _day(use: Use) -> dict[str, Json]:
    return {
        "day": (_EPOCH + timedelta(days=use.day)).isoformat(),
        "model": use.model,
        "requests": use.requests,
        "input_tokens": use.input_tokens,
        "output_tokens": use.output_tokens,
        "usd": use.nano_usd / NANO,
        "unpriced_requests": use.unpriced,
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")
