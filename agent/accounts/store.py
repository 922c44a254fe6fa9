"""The port of the stores of usage, and the values that cross it. Two stand behind it: `local` and `fleet`.

Both mean the same by it; tests/unit/accounts/test_store.py holds them to that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from agent.accounts.meters import Amounts, Meter
from agent.accounts.tally import Claims, Reading, Refusal

HISTORY_DAYS = 30
DAY_SECONDS = 86_400


class Use(NamedTuple):
    """What a key used on a day (days since 1970, UTC) of a model."""

    key: str
    day: int
    model: str
    requests: int = 1
    input_tokens: int = 0
    output_tokens: int = 0
    nano_usd: int = 0
    unpriced: int = 0  # requests among them whose price nobody knows


class Hold(NamedTuple):
    """A reservation. `id` is nobody else's."""

    id: int
    claims: Claims
    offline: bool = False  # made from what a device had set aside


class Unreachable:
    """A shared store cannot be asked, and nothing was set aside for that."""


UNREACHABLE = Unreachable()

type Answer = Hold | Refusal | Unreachable


class AccountStore(Protocol):
    """Counts what is used. What requests need never raises for a disk or a network that fails: a reservation says so,
    a settlement is caught up on. `read` and `history` raise DrawbridgeError."""

    async def open(self) -> str:
        """Take up what was used before. Where that could not be read, everything begins at zero: the name under which
        it is kept, empty where all is well. Raises HostError."""
        ...

    async def close(self) -> None:
        """Write down what is not yet. Safe to call twice, and without `open`."""
        ...

    async def reachable(self) -> bool:
        """Whether calls can be reserved: with the store, or for a while yet without it."""
        ...

    async def reserve(
        self,
        meters: Sequence[Meter],
        amounts: Amounts,
        now: float,
        *,
        worst: Use | None = None,
        instead: Hold | None = None,
    ) -> Answer:
        """Take `amounts` of all meters or of none, instead of what the hold `instead` takes, which ends if this
        succeeds and stays if not. `worst` is what is written down if the process dies."""
        ...

    async def settle(self, hold: Hold, used: Amounts, use: Use | None) -> None:
        """Put what was really used in the hold's place; returns when that is durable. The second time does nothing."""
        ...

    async def release(self, hold: Hold) -> None:
        """Nothing was used: as if there had been no hold."""
        ...

    async def read(self, meters: Sequence[Meter], now: float) -> Sequence[Reading]:
        """How meters stand."""
        ...

    async def history(self, key: str, since_day: int) -> Sequence[Use]:
        """What a key used from a day on, oldest first."""
        ...
