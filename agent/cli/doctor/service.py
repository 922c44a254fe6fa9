"""What the running service says of itself to an account that may not read its files. Judged like what root sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from agent.cli.doctor.facts import StateFacts
from agent.host.settings_state import Led
from agent.host.trust.store import Root

_NOT_OURS = "the service's files are not for this account to read: sudo drawbridge doctor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The answer of the verb `service`. Times are Unix seconds."""

    supervised: bool
    place: str
    roots: tuple[x509.Certificate, ...]
    manages: Mapping[str, str]  # settings by name
    led: Led | None
    reasons: tuple[str, ...]
    free_bytes: int | None
    trail_bytes: int | None
    trail_limit: int
    newest_event: float | None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Service:
        """Raises KeyError, TypeError or ValueError for an answer of another version."""
        led = document["led"]
        pem = str(document["roots"]).encode("ascii")
        return cls(
            supervised=bool(document["supervised"]),
            place=str(document["state_dir"]),
            roots=tuple(x509.load_pem_x509_certificates(pem)) if pem else (),
            manages={str(name): str(value) for name, value in document["settings"].items()},
            led=None if led is None else Led(led["state"]),
            reasons=() if led is None else tuple(map(str, led["reasons"])),
            free_bytes=document["free_bytes"],
            trail_bytes=document["trail_bytes"],
            trail_limit=int(document["trail_limit"]),
            newest_event=document["newest_event"],
        )

    @property
    def asked(self) -> bool:
        """Whether anything of the system is the service's to set."""
        return bool(self._set)

    @property
    def _set(self) -> tuple[str, ...]:
        """What of the system is the service's to set. Single programs are captured by the engine itself."""
        return tuple(
            f"{name} = {value}"
            for name, value in self.manages.items()
            if value not in ("none", "programs") and name != "manage_trust"
        )

    @property
    def trusted(self) -> tuple[Root, ...]:
        """The roots, as stores know them."""
        return tuple(map(Root.of, self.roots))

    def way(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The settings that lead programs here and are as they should be, and what is wrong with others."""
        match self.led:
            case Led.HERE:
                return self._set, ()
            case Led.ASKED:
                return (), ("root was asked for them, and has not done it yet",)
            case Led.NOT | None:
                return (), ("they do not lead here",)
            case _:
                return (), self.reasons or ("they are not as they should be",)

    def state(self, now: float) -> StateFacts:
        """What the service says of its state directory; the rest is for who may read it."""
        return StateFacts(
            place=self.place,
            guarded=_NOT_OURS,
            free_bytes=self.free_bytes,
            trail_bytes=self.trail_bytes,
            trail_limit=self.trail_limit,
            newest_hours=None if self.newest_event is None else max(now - self.newest_event, 0) / 3600,
        )
