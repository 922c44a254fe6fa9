"""Every template by its name, as the text or bytes that the command prints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum

from agent.errors import ConfigError
from agent.host.mdm.admx import adml, admx, registry_file
from agent.host.mdm.deployment import Deployment
from agent.host.mdm.mobileconfig import mobileconfig
from agent.host.mdm.services import fleet, intune, jamf
from agent.host.setting_rows import Row, System


class Template(StrEnum):
    """The forms that device management takes."""

    MOBILECONFIG = "mobileconfig"
    ADMX = "admx"
    ADML = "adml"
    INTUNE = "intune"
    JAMF = "jamf"
    FLEET = "fleet"
    JSON = "json"
    REG = "reg"

    @property
    def system(self) -> System:
        """The system whose machines it is for; of those for several, the one whose values it holds."""
        match self:
            case Template.MOBILECONFIG | Template.JAMF | Template.FLEET:
                return System.MACOS
            case Template.JSON:
                return System.LINUX
            case _:
                return System.WINDOWS

    @property
    def holds_values(self) -> bool:
        """Whether values can be asked for; the others describe every setting."""
        return self not in (Template.ADMX, Template.ADML, Template.JAMF)


def render(template: Template, rows: Sequence[Row], deployment: Deployment) -> bytes:
    """The template. Raises ConfigError for values that it cannot hold."""
    match template:
        case Template.MOBILECONFIG:
            return mobileconfig(deployment)
        case Template.ADMX:
            return admx(rows).encode()
        case Template.ADML:
            return adml(rows).encode()
        case Template.INTUNE:
            return document(intune(rows, deployment))
        case Template.JAMF:
            return document(jamf(rows))
        case Template.FLEET:
            return fleet(deployment).encode()
        case Template.JSON:
            return document(dict(deployment.values))
        case Template.REG:
            try:
                return registry_file(rows, deployment).encode("ascii")
            except ValueError as error:
                raise ConfigError(
                    str(error), hint="Deploy such a value by the administrative template."
                ) from error


def document(value: object) -> bytes:
    """A JSON document for people to read."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
