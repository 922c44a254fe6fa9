"""Plans that had no alternative, remembered: where one provider with one key serves a model and nothing else was named,
neither lots nor health have a say, and the plan is the same each time."""

from __future__ import annotations

from agent.accounts.book import KeyEntry
from agent.routing.plan import Plan

_REMEMBERED = 4096  # clients choose the names of models


class SolePlans:
    """Of one policy. A plan holds for one virtual key, since keys differ in what they may use."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[int, str, str], tuple[KeyEntry | None, Plan]] = {}

    def find(self, key: KeyEntry | None, model: str, preferred: str) -> Plan | None:
        """The plan for a model that is called so, by the door of `preferred`; None where it has to be made."""
        found = self._known.get((id(key), model, preferred))
        return found[1] if found is not None else None

    def keep(self, key: KeyEntry | None, model: str, preferred: str, plan: Plan) -> None:
        """Remember a plan, if there is no other."""
        [first, *others] = plan.candidates
        if others or len(first.keys) != 1 or plan.session:
            return
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        # the key is held, so that no other object can have its id
        self._known[id(key), model, preferred] = (key, plan)
