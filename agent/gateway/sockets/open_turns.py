"""The turns of a connection whose answers are not over, and which of them a message belongs to."""

from __future__ import annotations

from collections.abc import Iterator

from agent.dialects.sockets import Said
from agent.gateway.sockets.turns import Turn


class OpenTurns:
    """In the order in which they were opened."""

    def __init__(self) -> None:
        self._turns: list[Turn] = []

    def __len__(self) -> int:
        return len(self._turns)

    def __iter__(self) -> Iterator[Turn]:
        return iter(tuple(self._turns))

    def add(self, turn: Turn) -> None:
        """It is open now."""
        self._turns.append(turn)

    def remove(self, turn: Turn) -> None:
        """Its answer is over."""
        self._turns.remove(turn)

    @property
    def awaited(self) -> bool:
        """Whether an answer is expected that nobody has given a name yet."""
        return any(not turn.name and turn.answer.awaited for turn in self._turns)

    @property
    def swallowing(self) -> bool:
        """Whether the rest of an answer that was stopped is still to come, and has no name to tell it by."""
        return any(not turn.name and turn.answer.stopped for turn in self._turns)

    def named(self, name: str) -> Turn | None:
        """The one that the service calls so."""
        return next((turn for turn in self._turns if turn.name == name), None)

    def of(self, said: Said) -> Turn | None:
        """The turn that a service's message belongs to, which has its name from now on. What belongs to none keeps its
        place behind what came before."""
        if said.apart or not said.readable:
            return next((turn for turn in self._turns if not turn.answer.stopped), None)
        unnamed = next((turn for turn in self._turns if not turn.name), None)
        if not said.turn:
            return unnamed
        named = self.named(said.turn)
        if named is not None or said.operation:  # with an operation it was begun by the service itself
            return named
        if unnamed is not None:
            unnamed.name = said.turn
        return unnamed
