"""The text a blocked person reads: a template with `{reason}`, `{rule}` and `{ref}`, nothing else."""

from __future__ import annotations

from string import Formatter

FIELDS = ("reason", "rule", "ref")
DEFAULT = "Blocked by company AI policy: {reason}. Ref {ref}. Ask your IT team if this is wrong."
ASK = (
    "Held back by company AI policy: {reason}. To see why: `drawbridge explain {ref}`. "
    'To send it all the same, say why: `drawbridge explain {ref} --justify "reason"`, then repeat the request.'
)


def check_template(text: str) -> str:
    """`text` if it can be rendered. Raises ValueError with what is wrong."""
    allowed = "only {reason}, {rule} and {ref} may stand in braces; write '{{' for a brace"
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        raise ValueError(f"a brace is not closed or not opened: {allowed}") from None
    for _, name, spec, conversion in parts:
        if name is not None and (name not in FIELDS or spec or conversion):
            raise ValueError(allowed)
    return text


def render(template: str, *, reason: str, rule: str, ref: str) -> str:
    """The message to show. `template` has passed `check_template`; `ref` is what support looks up."""
    return template.format(reason=reason, rule=rule, ref=ref)
