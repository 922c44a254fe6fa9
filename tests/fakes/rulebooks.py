"""Rule books for tests: small policies whose toy detectors need nothing that looks like a real secret."""

from __future__ import annotations

from functools import cache

from agent.gateway.unified.routebook import RouteBook
from agent.inspection import RuleBook, Scope
from agent.policy import Subject, load

TOY = "TOY-" + "123456"
"""What the detector `toy` finds; policies here redact it."""
BOMB = "BOMB-" + "4321"
"""What the detector `bomb` finds; policies here block it."""
NOTE = "NOTE-" + "9876"
"""What the detector `note` finds; policies here only record it."""
CARD = 4_000_123_412_341_234
"""What the detector `card` finds, also where it is a number; policies here redact it."""

DETECTORS = r"""
detectors:
  - {id: toy, pattern: 'TOY-[0-9]{6}'}
  - {id: bomb, pattern: 'BOMB-[0-9]{4}'}
  - {id: note, pattern: 'NOTE-[0-9]{4}'}
  - {id: card, pattern: '\b4[0-9]{15}\b'}
"""
GUARDRAILS = """
guardrails:
  - {id: toys, detect: [custom/toy, custom/card], action: redact}
  - {id: bombs, detect: [custom/bomb], action: block}
  - {id: notes, detect: [custom/note], action: alert}
"""


def toy_policy(more: str = "") -> str:
    """The policy that redacts toys and cards, blocks bombs and notes notes, with further keys."""
    return f"schema_version: 1\nid: toys\n{more}\n{GUARDRAILS}{DETECTORS}"


@cache
def rule_book(text: str) -> RuleBook:
    """The compiled policy of a YAML text. Compiling takes a while, so each text is compiled once."""
    rules = RuleBook(load(text, source="policy.yaml"))
    route_book(rules)  # reads files: not in a loop
    return rules


@cache
def route_book(rules: RuleBook) -> RouteBook:
    """What the same policy says about providers."""
    return RouteBook(rules.policy)


def toy_scope(more: str = "", *, host: str = "api.openai.com", app: str = "") -> Scope:
    """The scope of an exchange under `toy_policy(more)`."""
    rules = rule_book(toy_policy(more))
    surface = rules.catalog.surface(host)
    subject = Subject(host=host, path="/", surface=surface.id if surface else "unknown", app=app)
    return rules.scope(subject, ref="REF12345")
