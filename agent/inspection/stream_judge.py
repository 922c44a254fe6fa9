"""What is done about findings while an answer streams: each is counted once, however often its text comes again."""

from __future__ import annotations

from agent.inspection.verdicts import Tally
from agent.model.content import Role, Where
from agent.model.decision import Action
from agent.model.findings import Finding


class StreamJudge:
    """Counts a finding of the stream and says what is done about it."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._enforcing = tally.enforcing
        self.blocking = False  # some text of the stream must not go out

    def __call__(self, finding: Finding, role: Role) -> Action:
        """What is done about a finding, which is counted."""
        action = self._tally.count(finding, Where.ANSWER, role=role)
        if action.stops and self._enforcing:
            self.blocking = True
        return action if self._enforcing else Action.ALLOW

    def again(self, finding: Finding, role: Role) -> Action:
        """The same for a text that repeats what was streamed: counted only if its rule was not yet hit."""
        if self._tally.has(finding, Where.ANSWER):
            action = self._tally.judge(finding, Where.ANSWER, role=role)
            return action if self._enforcing else Action.ALLOW
        return self(finding, role)
