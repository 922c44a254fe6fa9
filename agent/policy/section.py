"""What all sections of a policy have in common: they never change, and refuse what they do not know."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A mapping of a policy. Values are not coerced, unknown keys are errors, errors repeat no value."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)
