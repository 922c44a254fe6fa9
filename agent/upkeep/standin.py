"""What whoever stands in for the engine is told, and what a pause must not open: the hosts that fail closed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from agent.errors import HostError
from agent.host.standin_file import StandInFacts, facts, write_standin
from agent.inspection import RuleBook

log = logging.getLogger(__name__)


class StandInKeeper:
    """Remembers to which hosts nothing may pass unseen, by the policy in force."""

    def __init__(self, path: Path) -> None:
        """`path` is where it is kept for whoever stands in."""
        self._path = path
        self._closed = StandInFacts()

    def refuses(self, host: str) -> bool:
        """Whether nothing may pass to `host` (lower case) unseen, a pause or not."""
        return self._closed.refuses(host)

    def follow(self, rules: RuleBook) -> Mapping[str, bool]:
        """Remember what `rules` say: for every host of the catalog, whether it is closed."""
        closed = rules.policy.closed(rules.catalog.hosts)
        hosts = {host: host in closed for host in rules.catalog.hosts}
        self._closed = facts(hosts)
        return hosts

    def keep(self, rules: RuleBook, pac: str) -> None:
        """Follow `rules`, and tell whoever stands in for us; `pac` is the PAC file. Blocks."""
        try:
            write_standin(self._path, self.follow(rules), pac)
        except HostError as error:
            log.error("%s", error)  # noqa: TRY400  the cause is in the message
