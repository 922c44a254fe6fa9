"""The profile, as macOS takes it apart and as our reader finds what it leaves."""

from __future__ import annotations

import plistlib
import uuid
from pathlib import Path

from agent.host.managed_darwin import DOMAIN, PreferencesFile
from agent.host.mdm.deployment import Deployment, RootCertificate, read_values
from agent.host.mdm.mobileconfig import mobileconfig
from agent.host.setting_rows import System
from agent.host.settings import Source, load_settings, setting_rows

GIVEN = [
    "policy=/Library/Application Support/Drawbridge/policy.yaml",
    "proxy_port=7000",
    "resolve=a.example:443=127.0.0.1:8443",
    "upstream_proxy=http://proxy.example.com:3128",
]
VALUES = read_values(setting_rows(), GIVEN, System.MACOS)
ROOTS = (
    RootCertificate(name="Example root", der=b"\x30\x01"),
    RootCertificate(name="Other", der=b"\x30\x02"),
)


def profile(deployment: Deployment) -> dict[str, object]:
    found: dict[str, object] = plistlib.loads(mobileconfig(deployment))
    return found


def payloads(deployment: Deployment) -> list[dict[str, object]]:
    found = profile(deployment)["PayloadContent"]
    assert isinstance(found, list)
    return found


def test_what_the_profile_leaves_is_read_as_managed_settings(tmp_path: Path) -> None:
    (payload,) = (each for each in payloads(Deployment(values=VALUES)) if each["PayloadType"] == DOMAIN)
    left = tmp_path / f"{DOMAIN}.plist"
    left.write_bytes(plistlib.dumps(payload, fmt=plistlib.FMT_BINARY))  # so the profile service writes it
    settings = load_settings(
        command_line={"proxy_port": 1},
        environ={},
        managed=PreferencesFile(left),
        config_file=tmp_path / "config.toml",
        default_state_dir=Path("/state"),
    )
    assert (settings.proxy_port, settings.upstream_proxy) == (7000, "http://proxy.example.com:3128")
    assert settings.resolve[0].host == "a.example"
    assert {name for name, origin in settings.origins.items() if origin.source is Source.MANAGED} == set(
        VALUES
    )


def test_every_payload_has_what_apple_demands_and_an_identity_of_its_own() -> None:
    found = [profile(Deployment(values={}, roots=ROOTS)), *payloads(Deployment(values={}, roots=ROOTS))]
    for payload in found:
        assert {"PayloadType", "PayloadVersion", "PayloadIdentifier", "PayloadUUID"} <= set(payload)
        assert payload["PayloadVersion"] == 1
    assert len({str(payload["PayloadIdentifier"]) for payload in found}) == len(found)
    assert len({uuid.UUID(str(payload["PayloadUUID"])) for payload in found}) == len(found)


def test_identities_do_not_change_with_the_values() -> None:
    def identities(deployment: Deployment) -> list[object]:
        return [profile(deployment)["PayloadUUID"], *(each["PayloadUUID"] for each in payloads(deployment))]

    assert identities(Deployment(values={})) == identities(Deployment(values=VALUES, organization="Other"))


def test_the_service_cannot_be_switched_off_and_may_speak() -> None:
    kinds = {str(each["PayloadType"]): each for each in payloads(Deployment(values={}, team_id="ABCDE12345"))}
    rules = kinds["com.apple.servicemanagement"]["Rules"]
    assert isinstance(rules, list)
    assert rules[0]["RuleType"] == "LabelPrefix"
    assert DOMAIN.startswith(rules[0]["RuleValue"])
    assert rules[0]["TeamIdentifier"] == "ABCDE12345"
    told = kinds["com.apple.notificationsettings"]["NotificationSettings"]
    assert isinstance(told, list)
    assert told[0]["BundleIdentifier"] == DOMAIN


def test_roots_are_payloads_with_their_certificate() -> None:
    roots = [
        each
        for each in payloads(Deployment(values={}, roots=ROOTS))
        if each["PayloadType"] == "com.apple.security.root"
    ]
    assert [each["PayloadContent"] for each in roots] == [b"\x30\x01", b"\x30\x02"]
