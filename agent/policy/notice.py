"""What the notice to the people of a machine says besides the rules: whose agent this is, and whom to ask."""

from __future__ import annotations

from pydantic import Field

from agent.policy import fields
from agent.policy.section import Section


class Notice(Section):
    """Shown at `/notice` on the machine itself."""

    organisation: fields.Text = Field(default="", description="Who manages this machine.")
    contact: fields.Text = Field(
        default="", description="Whom to ask: a name, a mail address, a phone number."
    )
    url: fields.BaseUrl | None = Field(default=None, description="A page that tells more; https.")
