"""The configuration profile for macOS: settings, and the payloads that an unattended installation needs beside them.

Identifiers never change and UUIDs are derived from them: a newer profile replaces the older one.
"""

from __future__ import annotations

import plistlib
import uuid
from collections.abc import Mapping

from agent.host.managed_darwin import DOMAIN
from agent.host.mdm.deployment import Deployment, RootCertificate

PROFILE = f"{DOMAIN}.profile"
LABELS = "com.drawbridge."
"""What the names of our launchd jobs begin with."""
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, DOMAIN)


def mobileconfig(deployment: Deployment) -> bytes:
    """The profile as an XML property list; sign it, or let the MDM do so."""
    payloads = [_settings(deployment), _login_items(deployment), _notifications()]
    payloads += [_root(root) for root in deployment.roots]
    return plistlib.dumps(
        {
            **_named(
                PROFILE, "Configuration", "Drawbridge", "Settings and permissions of the Drawbridge agent."
            ),
            "PayloadOrganization": deployment.organization,
            "PayloadScope": "System",
            "PayloadContent": payloads,
        },
        sort_keys=False,
    )


def _settings(deployment: Deployment) -> Mapping[str, object]:
    """A payload whose type is our domain becomes /Library/Managed Preferences/<domain>.plist."""
    head = _named(
        f"{PROFILE}.settings",
        DOMAIN,
        "Drawbridge: settings",
        "What `drawbridge config explain` calls managed.",
    )
    return {**head, **deployment.values}


def _login_items(deployment: Deployment) -> Mapping[str, object]:
    """Without it, people can switch the background service off in System Settings (macOS 13 and later)."""
    rule = {"RuleType": "LabelPrefix", "RuleValue": LABELS, "Comment": "The background service of Drawbridge"}
    if deployment.team_id:
        rule["TeamIdentifier"] = deployment.team_id  # else any program may take a label with our prefix
    head = _named(
        f"{PROFILE}.login-items",
        "com.apple.servicemanagement",
        "Drawbridge: background service",
        "Keeps the background service from being switched off.",
    )
    return {**head, "Rules": [rule]}


def _notifications() -> Mapping[str, object]:
    head = _named(
        f"{PROFILE}.notifications",
        "com.apple.notificationsettings",
        "Drawbridge: notifications",
        "Lets Drawbridge say why something was held back.",
    )
    return {
        **head,
        "NotificationSettings": [
            {
                "BundleIdentifier": DOMAIN,
                "NotificationsEnabled": True,
                "AlertType": 1,  # a banner that goes away
                "ShowInNotificationCenter": True,
                "ShowInLockScreen": False,
                "BadgesEnabled": False,
                "SoundsEnabled": False,
                "CriticalAlertEnabled": False,
            }
        ],
    }


def _root(root: RootCertificate) -> Mapping[str, object]:
    fingerprint = uuid.uuid5(_NAMESPACE, root.der.hex()).hex[:12]
    head = _named(
        f"{PROFILE}.root.{fingerprint}",
        "com.apple.security.root",
        root.name,
        "A certificate authority to trust.",
    )
    return {**head, "PayloadCertificateFileName": f"root-{fingerprint}.cer", "PayloadContent": root.der}


def _named(identifier: str, kind: str, name: str, about: str) -> dict[str, object]:
    return {
        "PayloadType": kind,
        "PayloadVersion": 1,
        "PayloadIdentifier": identifier,
        "PayloadUUID": str(uuid.uuid5(_NAMESPACE, identifier)).upper(),
        "PayloadDisplayName": name,
        "PayloadDescription": about,
    }
