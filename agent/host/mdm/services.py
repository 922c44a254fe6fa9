"""What particular services of device management import: Intune, Jamf Pro, Fleet."""

from __future__ import annotations

from collections.abc import Sequence
from string import Template

from agent.host.managed_darwin import DOMAIN
from agent.host.managed_linux import MANAGED_FILE
from agent.host.managed_windows import POLICY_KEY
from agent.host.mdm.admx import ROOT_CATEGORY, admx, category_name, enabled, policy_name
from agent.host.mdm.deployment import Deployment
from agent.host.setting_rows import Row, System

_CSP = "./Device/Vendor/MSFT/Policy"
_APP = "Drawbridge"


def intune(rows: Sequence[Row], deployment: Deployment) -> dict[str, object]:
    """A custom profile, as Microsoft Graph takes it: the template is ingested, then each policy is switched on."""
    known = {row.name: row for row in rows}
    ingest = _oma(
        "ADMX ingestion", f"{_CSP}/ConfigOperations/ADMXInstall/{_APP}/Policy/DrawbridgeAdmx", admx(rows)
    )
    settings = [
        _oma(
            known[name].title,
            f"{_CSP}/Config/{_APP}~Policy~{ROOT_CATEGORY}~{category_name(known[name].key.category)}"
            f"/{policy_name(known[name])}",
            enabled(known[name], value),
        )
        for name, value in deployment.values.items()
    ]
    return {
        "@odata.type": "#microsoft.graph.windows10CustomConfiguration",
        "displayName": "Drawbridge settings",
        "description": f"Settings of the Drawbridge agent, in HKLM\\{POLICY_KEY}.",
        "omaSettings": [ingest, *settings],
    }


def _oma(name: str, uri: str, value: str) -> dict[str, object]:
    return {
        "@odata.type": "#microsoft.graph.omaSettingString",
        "displayName": f"Drawbridge: {name}",
        "omaUri": uri,
        "value": value,
    }


def jamf(rows: Sequence[Row]) -> dict[str, object]:
    """A manifest for "Application & Custom Settings", which makes a form of it."""
    return {
        "title": f"Drawbridge ({DOMAIN})",
        "description": "Settings of the Drawbridge agent.",
        "__preferencedomain": DOMAIN,
        "type": "object",
        "properties": {row.name: _field(row, order) for order, row in enumerate(rows, start=1)},
    }


def _field(row: Row, order: int) -> dict[str, object]:
    # no "default": Jamf would write it into every profile, and a managed value outranks all others
    example = row.example(System.MACOS)
    hint = {"options": {"infoText": f"Example: {example}"}} if example is not None else {}
    return {
        "title": row.title,
        "description": f"{row.key.about} Allowed: {row.key.allowed}. Default: {row.default}.",
        "property_order": order * 5,
        **row.shape.form,
        **hint,
    }


_FLEET = Template(r"""# Drawbridge in a Fleet GitOps repository: take what you need into default.yml or a team's file.
# Paths are relative to that file. Newer servers write apple_settings and configuration_profiles for macos_settings
# and custom_settings, and reports for queries.
controls:
  macos_settings:
    custom_settings:
      - path: ../lib/drawbridge.mobileconfig
  scripts:
    - path: ../lib/fleet-health.sh

policies:
  - name: macOS - Drawbridge is managed
    description: The settings of the Drawbridge agent have arrived.
    resolution: Assign the profile drawbridge.mobileconfig.
    query: >-
      SELECT 1 FROM managed_policies WHERE domain = '$domain'$named LIMIT 1;
    platform: darwin
    critical: false
  - name: Windows - Drawbridge is managed
    description: The settings of the Drawbridge agent have arrived.
    resolution: Assign the administrative template, or import drawbridge.reg.
    query: >-
      SELECT 1 FROM registry WHERE key = 'HKEY_LOCAL_MACHINE\$key'$named LIMIT 1;
    platform: windows
    critical: false
  - name: Linux - Drawbridge is managed
    description: The settings of the Drawbridge agent have arrived, and only root can change them.
    resolution: Place $file, of root, 0644.
    query: >-
      SELECT 1 FROM file WHERE path = '$file' AND uid = 0 AND mode = '0644';
    platform: linux
    critical: false
  - name: Drawbridge runs
    description: The Drawbridge agent guards the AI tools of this machine.
    resolution: Start the service; `drawbridge status` tells what is wrong.
    query: >-
      SELECT 1 FROM processes WHERE name IN ('drawbridge', 'drawbridge.exe') LIMIT 1;
    platform: darwin,linux,windows
    critical: true

queries:
  - name: Drawbridge - where it listens
    description: The agent listens on the loopback address; another one here is worth a look.
    query: >-
      SELECT p.name, l.address, l.port FROM listening_ports l JOIN processes p USING (pid)
      WHERE p.name IN ('drawbridge', 'drawbridge.exe');
    platform: darwin,linux,windows
    interval: 3600
    observer_can_run: true
""")


def fleet(deployment: Deployment) -> str:
    """A sample with the profile, policies that tell whether the settings arrived, and a query for the inventory."""
    name = next(iter(deployment.values), None)
    return _FLEET.substitute(
        domain=DOMAIN,
        key=POLICY_KEY,
        file=MANAGED_FILE,
        named=f" AND name = '{name}'" if name else "",  # names of settings hold letters and underscores only
    )
