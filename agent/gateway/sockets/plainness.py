"""Which messages of a socket need no exchange: those in which no rule of the policy in force finds anything."""

from __future__ import annotations

from collections.abc import Iterable

from agent.dialects.sockets import Said
from agent.gateway.ports import PolicyInForce
from agent.guardrails.offsets import occurrences
from agent.inspection import RuleBook
from agent.model.content import Attachment, Slot

_REMEMBERED = 32  # kinds of files


class Plainness:
    """Of one connection. What was found of files is known for as long as the policy stays the same."""

    def __init__(self, policy: PolicyInForce) -> None:
        self._policy = policy
        self._passing: dict[tuple[str, ...], bool] = {}  # by kinds of attachments
        self._rules: RuleBook | None = None  # under which that was found out

    def said(self, said: Said) -> bool:
        """Whether a message of the service, outside all turns, has nothing to judge in it."""
        view = said.view
        if not said.readable or view.deltas:
            return False
        if not said.apart and said.turn and not view.final:
            return False  # an answer begins with it
        return self.texts(view.repeats)

    def texts(self, slots: Iterable[Slot], *, hidden: bool = False) -> bool:
        """Whether no rule finds anything in texts that no exchange has to be made of. `hidden`: they may hold what a
        stand-in hides elsewhere, so that where there are any the conversation must be known."""
        rules = self._policy.rules
        if hidden and rules.pseudonymizes:
            return False
        return not any(
            rules.scan(slot.text) or (rules.pseudonymizes and any(occurrences(rules.alias, slot.text)))
            for slot in slots
        )

    def files(self, attachments: Iterable[Attachment]) -> bool | None:
        """Whether files of these kinds may go on, None where that was not judged yet."""
        rules = self._policy.rules
        if rules is not self._rules:
            self._rules = rules
            self._passing.clear()
        return self._passing.get(_kinds(attachments))

    def judged(self, attachments: Iterable[Attachment], *, passes: bool) -> None:
        """Files of these kinds were judged."""
        if len(self._passing) >= _REMEMBERED:
            self._passing.clear()
        self._passing[_kinds(attachments)] = passes


def _kinds(attachments: Iterable[Attachment]) -> tuple[str, ...]:
    return tuple(sorted({f"{each.kind} {each.media_type}" for each in attachments}))
