"""The detection engine: secrets, personal data, signs of injection and a policy's own rules, found in decoded text.

`Scanner(rules)` compiles a rule set once; `scan(text)` finds, `stream()` finds the same in a text that arrives in
pieces and says how much of it may be released. Rules are data (`Rule`; `bundled_rules`, `load_pack`, `load_gitleaks`,
`keyword_rule`). Pure: text in, findings out; no finding holds the value it found. What a finding leads to is the
policy's matter.
"""

from __future__ import annotations

from agent.guardrails.explanation import Account, Outcome
from agent.guardrails.gitleaks import load_gitleaks
from agent.guardrails.notes import LoadedPack, Note
from agent.guardrails.overlap import joined
from agent.guardrails.pack import bundled_rules, load_pack
from agent.guardrails.rule import KEYWORD_REACH, Rule, keyword_rule
from agent.guardrails.ruleset import LIMIT_RULE, LIMIT_TYPE, Limits
from agent.guardrails.scanner import Scanner
from agent.guardrails.textstream import TextStream

__all__ = [
    "KEYWORD_REACH",
    "LIMIT_RULE",
    "LIMIT_TYPE",
    "Account",
    "Limits",
    "LoadedPack",
    "Note",
    "Outcome",
    "Rule",
    "Scanner",
    "TextStream",
    "bundled_rules",
    "joined",
    "keyword_rule",
    "load_gitleaks",
    "load_pack",
]
