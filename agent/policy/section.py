"""What every section of a policy has in common: it never changes, refuses unknown keys, and repeats no value."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Base of the sections. Strict: a number is not a text, and a text is not a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)
