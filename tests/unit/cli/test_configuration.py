"""Every setting, its value, and where it comes from."""

from __future__ import annotations

import json
import plistlib
from pathlib import Path

import pytest
from cryptography import x509

from agent.cli.configuration import explained
from agent.host.setting_rows import Key, Row
from agent.host.setting_shapes import TEXT
from agent.host.settings import Origin, Overridden, Settings, Source
from tests.fakes.command_line import Drawbridge
from tests.fakes.tls import Authority


def test_each_setting_is_told_with_its_origin(drawbridge: Drawbridge, tmp_path: Path) -> None:
    settings = json.loads(drawbridge("config", "explain", "--json").stdout)
    assert settings["state_dir"] == {
        "value": f"{tmp_path}/state",
        "source": "environment",
        "place": "DRAWBRIDGE_STATE_DIR",
        "overridden": [],
        "takes_hold": "when the service is started again",
    }
    assert settings["resolve"]["value"] == []
    assert type(settings["proxy_port"]["value"]) is int


def test_people_see_names_with_brackets_as_they_are(
    drawbridge: Drawbridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("DRAWBRIDGE_POLICY", "/etc/[red]policy.yaml")
    assert "/etc/[red]policy.yaml" in drawbridge("config", "explain").stdout


def test_a_bad_value_is_explained(drawbridge: Drawbridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAWBRIDGE_PROXY_PORT", "many")
    result = drawbridge("config", "explain")
    assert result.exit_code == 1
    assert "DRAWBRIDGE_PROXY_PORT" in result.stderr
    assert "Allowed: a port" in result.stderr


def test_what_was_overridden_is_told(
    drawbridge: Drawbridge, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DRAWBRIDGE_LOG_LEVEL", "debug")
    config = tmp_path / "config.toml"
    monkeypatch.setattr("agent.cli.console.config_file", lambda: config)
    config.write_text('log_level = "error"')
    monkeypatch.setenv("COLUMNS", "400")
    shown = drawbridge("config", "explain").stdout
    assert f"error (local file {config})" in shown
    told = json.loads(drawbridge("config", "explain", "--json").stdout)["log_level"]
    assert told["overridden"] == [{"value": "error", "source": "local file", "place": str(config)}]


def test_a_secret_is_not_shown() -> None:
    row = Row.of("policy", Key(read=str, allowed="", shape=TEXT, secret=True), None)
    lower = Overridden(value="hunter2", origin=Origin(source=Source.FILE))
    settings = Settings(
        state_dir=Path("/s"),
        policy=Path("/hunter1"),
        origins={"policy": Origin(source=Source.MANAGED)},
        overridden={"policy": (lower,)},
    )
    assert "hunter" not in str(explained(settings, {"policy": row}))


def test_the_schema_is_printed(drawbridge: Drawbridge) -> None:
    assert "proxy_port" in json.loads(drawbridge("config", "schema").stdout)["properties"]
    assert "| `proxy_port` |" in drawbridge("config", "schema", "--markdown").stdout


def test_a_profile_holds_what_was_asked_for(drawbridge: Drawbridge, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    made = drawbridge(
        *("config", "template", "mobileconfig", "--set", "proxy_port=7000", "--set", "log_level=DEBUG"),
        *("--ca", authority.ca_file, "--organization", "Example", "--team-id", "abcde12345"),
    )
    profile = plistlib.loads(made.stdout_bytes)
    assert profile["PayloadOrganization"] == "Example"
    settings, items, _, root = profile["PayloadContent"]
    assert (settings["proxy_port"], settings["log_level"]) == (7000, "debug")
    assert items["Rules"][0]["TeamIdentifier"] == "ABCDE12345"
    assert x509.load_der_x509_certificate(root["PayloadContent"]) == authority.certificate


def test_line_ends_are_those_of_the_format(drawbridge: Drawbridge) -> None:
    made = drawbridge("config", "template", "reg", "--set", "resolve=a:1=b:2").stdout_bytes
    assert made.count(b"\r\n") == made.count(b"\n")
    assert b'[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Drawbridge\\resolve]\r\n"1"="a:1=b:2"' in made


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["admx", "--set", "proxy_port=1"], 2, "leave --set out"),
        (["json", "--ca", "x.pem"], 2, "for mobileconfig"),
        (["mobileconfig", "--team-id", "short"], 2, "ten letters"),
        (["json", "--set", "proxy_port=many"], 1, "Allowed: a port"),
        (["json", "--set", "proxy_prot=1"], 1, "Write name=value"),
        (["json", "--set", "policy"], 1, "Write name=value"),
        (["mobileconfig", "--ca", "/missing.pem"], 1, "no file"),
        (["reg", "--set", "policy=/etc/policy.yaml"], 1, "no absolute path on windows"),
        (["tar"], 2, "tar"),
    ],
)
def test_what_cannot_be_deployed_is_refused(
    drawbridge: Drawbridge, arguments: list[str], code: int, complaint: str
) -> None:
    result = drawbridge("config", "template", *arguments)
    assert result.exit_code == code
    assert complaint in result.stderr
    assert result.stdout == ""
