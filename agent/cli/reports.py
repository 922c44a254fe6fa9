"""What an event of the audit trail says about its decision, beside the policy in force. Reads, decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agent.audit import StoredEvent
from agent.cli.events import at, rules_of
from agent.model.ids import short_ref
from agent.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundHit:
    """A hit as the trail tells it; events of older versions tell less."""

    what: str
    rule: str
    guardrail: str
    where: str
    action: str
    count: int
    severity: str
    shadow: bool
    justification: str
    fingerprints: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    event: StoredEvent
    policy: Policy  # the one in force, which need not be the one that decided
    hits: tuple[FoundHit, ...]

    @property
    def ref(self) -> str:
        return short_ref(self.event.row.id)

    @property
    def same_policy(self) -> bool:
        told = at(self.event.document, "unmapped", "drawbridge", "policy", "hash")
        return told == self.policy.digest

    @property
    def asked(self) -> tuple[tuple[str, str], ...]:
        """What was asked about: pairs of a guardrail and a fingerprint."""
        return tuple(
            (hit.guardrail, each) for hit in self.hits if hit.action == "ask" for each in hit.fingerprints
        )

    @property
    def deciding(self) -> tuple[str, ...]:
        """The guardrails, or else rules, whose action became that of the exchange."""
        word = self.event.row.decision
        found = tuple(
            dict.fromkeys(hit.guardrail for hit in self.hits if hit.action == word and not hit.shadow)
        )
        return found or (rules_of(self.event) if not self.hits else ())

    @property
    def exception(self) -> str:
        """A guardrail for the policy that allows what was found, to the program that sent it. Needs hits."""
        wrong = [hit for hit in self.hits if hit.action != "allow"] or list(self.hits)
        app = self.event.row.app
        name = "-".join(("allow", wrong[0].what.partition("/")[2], app if self._app_known else ""))
        before = wrong[0].guardrail
        lines = [
            "guardrails:",
            f"  # before the guardrail '{before}'",
            f"  - id: {_slug(name)}",
            f"    detect: [{', '.join(dict.fromkeys(hit.what for hit in wrong))}]",
            f"    where: [{', '.join(dict.fromkeys(hit.where for hit in wrong))}]",
            *([f"    apps: [{app}]"] if self._app_known else []),
            "    action: allow",
        ]
        return "\n".join(lines)

    @property
    def _app_known(self) -> bool:
        """Whether the program's name is that of the catalog, not of its process."""
        return _slug(self.event.row.app) == self.event.row.app not in ("", "unknown")


def found_hits(event: StoredEvent) -> Iterator[FoundHit]:
    found = at(event.document, "unmapped", "drawbridge", "decision", "hits")
    for hit in found if isinstance(found, list) else ():
        prints, count = at(hit, "fingerprints"), at(hit, "count")

        def text(key: str, hit: object = hit) -> str:
            return str(at(hit, key) or "")

        yield FoundHit(
            what=f"{text('family')}/{text('type')}",
            rule=text("rule"),
            guardrail=text("guardrail"),
            where=text("where"),
            action=text("action"),
            count=count if isinstance(count, int) else 1,
            severity=text("severity"),
            shadow=at(hit, "shadow") is True,
            justification=text("justification"),
            fingerprints=tuple(map(str, prints)) if isinstance(prints, list) else (),
        )


def _slug(text: str) -> str:
    kept = "".join(
        each if each.isascii() and (each.isalnum() or each in "-_.") else "-" for each in text.lower()
    )
    return kept.strip("-")[:64]
