"""What stands in the place of a text that must not go on: one function for every action that rewrites."""

from __future__ import annotations

from agent.guardrails import LIMIT_RULE
from agent.inspection.pseudonyms import Vault
from agent.model.decision import Action
from agent.model.findings import Finding

MARKER = "[REDACTED:"
"""How the text begins that stands in the place of a redacted one; the kind of data and `]` follow."""
STAR = "*"

_SHOWN = 4  # of a masked text, the last characters
_SHORTEST = 9  # a masked text of fewer characters shows none
_LONGEST = 64  # of a longer one not even the length is told
_SEPARATORS = " -"  # what people group digits with stays, so that the kind of value is still seen


def replacement(action: Action, finding: Finding, text: str, vault: Vault | None = None) -> str:
    """What stands in the place of `text`, which is what `finding` found, under an action that rewrites. Where no vault
    can keep it, a value is not pseudonymised but redacted."""
    if finding.rule != LIMIT_RULE:
        if action is Action.MASK:
            return masked(text)
        if action is Action.PSEUDONYMIZE and vault is not None:
            return vault.stand_in(finding, text) or marker(finding.type)
    return marker(finding.type)


def marker(kind: str) -> str:
    """What stands in the place of a redacted text: ASCII, typed, safe in JSON, Markdown and shells."""
    return f"{MARKER}{kind}]"


def masked(text: str) -> str:
    """`text` with a star for each character but the last four; spaces and hyphens stay: `**** **** **** 1111`.

    Of a text of at most eight characters, separators not counted, all are hidden. One of more than 64 is shown as
    twelve stars and its last four.
    """
    characters = [each for each in text if each not in _SEPARATORS]
    shown = _SHOWN if len(characters) >= _SHORTEST else 0
    if len(characters) > _LONGEST:
        return STAR * 12 + "".join(characters[-_SHOWN:])
    hidden = len(characters) - shown
    parts: list[str] = []
    for each in text:
        if each in _SEPARATORS:
            parts.append(each)
        else:
            parts.append(STAR if hidden > 0 else each)
            hidden -= 1
    return "".join(parts)


def is_masked(text: str) -> bool:
    """Whether nothing of `text` shows but, after a star at least, its last four characters: as a mask of ours, or a
    part of one. Such a text is no finding, whatever a detector says."""
    characters = "".join(each for each in text if each not in _SEPARATORS)
    hidden = characters[:-_SHOWN]
    if not hidden:
        return bool(characters) and not characters.strip(STAR)
    return not hidden.strip(STAR)
