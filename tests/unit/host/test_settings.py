"""Precedence, origins, and refusals that say where and what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.host.setting_keys import DEFAULT_GATEWAY_PORT, DEFAULT_PROXY_PORT
from agent.host.setting_values import Resolve
from agent.host.settings import Origin, Settings, Source, load_settings
from tests.fakes.host import FakeManaged

ALL_SOURCES = [Source.MANAGED, Source.COMMAND_LINE, Source.ENVIRONMENT, Source.FILE]


def load(
    tmp_path: Path,
    *,
    managed: Mapping[str, object] | None = None,
    command_line: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    file: str | bytes | None = None,
) -> Settings:
    config = tmp_path / "config.toml"
    if file is not None:
        config.write_bytes(file if isinstance(file, bytes) else file.encode())
    return load_settings(
        command_line=command_line or {},
        environ=environ or {},
        managed=FakeManaged(managed or {}),
        config_file=config,
        default_state_dir=Path("/default/state"),
    )


def test_without_any_source_the_defaults_hold(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.state_dir == Path("/default/state")
    assert (settings.proxy_port, settings.gateway_port) == (DEFAULT_PROXY_PORT, DEFAULT_GATEWAY_PORT)
    assert set(settings.origins) == {field.name for field in fields(Settings)} - {"origins", "overridden"}
    assert set(settings.origins.values()) == {Origin(source=Source.DEFAULT)}


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_highest_source_wins_and_is_the_origin(tmp_path: Path, count: int) -> None:
    present = ALL_SOURCES[-count:]
    settings = load(
        tmp_path,
        managed={"proxy_port": 1001} if Source.MANAGED in present else None,
        command_line={"proxy_port": 1002} if Source.COMMAND_LINE in present else {"proxy_port": None},
        environ={"DRAWBRIDGE_PROXY_PORT": "1003"} if Source.ENVIRONMENT in present else None,
        file="proxy_port = 1004" if Source.FILE in present else None,
    )
    winner = present[0]
    places = ["/managed.json", "--proxy-port", "DRAWBRIDGE_PROXY_PORT", str(tmp_path / "config.toml")]
    assert settings.proxy_port == 1001 + ALL_SOURCES.index(winner)
    assert settings.origins["proxy_port"] == Origin(source=winner, place=places[ALL_SOURCES.index(winner)])


def test_every_setting_has_an_environment_variable(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        environ={
            "DRAWBRIDGE_STATE_DIR": "/state",
            "DRAWBRIDGE_PROXY_PORT": "1",
            "DRAWBRIDGE_GATEWAY_PORT": "2",
            "DRAWBRIDGE_DASHBOARD": "off",
            "DRAWBRIDGE_DASHBOARD_PORT": "3",
            "DRAWBRIDGE_OPERATORS": "ada,@staff",
            "DRAWBRIDGE_POLICY": "/policy.yaml",
            "DRAWBRIDGE_UPSTREAM_CA_FILE": "/ca.pem",
            "DRAWBRIDGE_UPSTREAM_PROXY": "http://proxy:3128",
            "DRAWBRIDGE_UPSTREAM_DIRECT": "corp.example, *.lan",
            "DRAWBRIDGE_MANAGE_PROXY": "pac",
            "DRAWBRIDGE_MANAGE_ENVIRONMENT": "ALL",
            "DRAWBRIDGE_CAPTURE": "transparent",
            "DRAWBRIDGE_CAPTURE_PORT": "4",
            "DRAWBRIDGE_CAPTURE_PROGRAMS": "Cursor, claude",
            "DRAWBRIDGE_RESOLVE": "a.example:443=127.0.0.1:8443",
            "DRAWBRIDGE_DEVICE_GROUPS": "kiosks, Finance laptops",
            "DRAWBRIDGE_LOG_LEVEL": "debug",
            "DRAWBRIDGE_MANAGE_TRUST": "OS",
            "DRAWBRIDGE_NOTIFICATIONS": "off",
            "DRAWBRIDGE_SIGN_IN_ISSUER": "https://id.example/t",
            "DRAWBRIDGE_SIGN_IN_CLIENT": "abc",
            "DRAWBRIDGE_SIGN_IN_SCOPES": "email, groups",
            "DRAWBRIDGE_SIGN_IN_NAME_CLAIM": "upn",
            "DRAWBRIDGE_SIGN_IN_GROUPS_CLAIM": "roles",
            "DRAWBRIDGE_SIGN_IN_GRACE_HOURS": "72",
            "DRAWBRIDGE_SIGN_IN_DEVICE_CODE": "on",
            "DRAWBRIDGE_SIGN_IN_PORT": "5",
            "PATH": "/bin",
        },
    )
    resolve = Resolve(host="a.example", port=443, address="127.0.0.1", address_port=8443)
    assert settings == Settings(
        state_dir=Path("/state"),
        proxy_port=1,
        gateway_port=2,
        dashboard=False,
        dashboard_port=3,
        operators=("ada", "@staff"),
        policy=Path("/policy.yaml"),
        upstream_ca_file=Path("/ca.pem"),
        upstream_proxy="http://proxy:3128",
        upstream_direct=("corp.example", "*.lan"),
        manage_proxy="pac",
        manage_environment="all",
        capture="transparent",
        capture_port=4,
        capture_programs=("Cursor", "claude"),
        resolve=(resolve,),
        device_groups=("kiosks", "Finance laptops"),
        log_level="debug",
        manage_trust="os",
        notifications=False,
        sign_in_issuer="https://id.example/t",
        sign_in_client="abc",
        sign_in_scopes=("email", "groups"),
        sign_in_name_claim="upn",
        sign_in_groups_claim="roles",
        sign_in_grace_hours=72,
        sign_in_device_code=True,
        sign_in_port=5,
        origins=settings.origins,
    )
    assert {origin.source for origin in settings.origins.values()} == {Source.ENVIRONMENT}


def test_managed_none_overrides_a_users_proxy(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        managed={"upstream_proxy": "none"},
        environ={"DRAWBRIDGE_UPSTREAM_PROXY": "http://proxy:3128"},
    )
    assert settings.upstream_proxy is None
    assert settings.origins["upstream_proxy"].source is Source.MANAGED


def test_a_relative_path_is_the_working_directorys_in_a_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load(
        tmp_path, command_line={"state_dir": Path("here")}, environ={"DRAWBRIDGE_POLICY": "mine.yaml"}
    )
    assert (settings.state_dir, settings.policy) == (tmp_path / "here", tmp_path / "mine.yaml")


def test_a_relative_path_in_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"bad value for policy in .*config.toml .*relative path"):
        load(tmp_path, file='policy = "mine.yaml"')


def test_a_bad_value_is_refused_with_key_place_and_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, environ={"DRAWBRIDGE_PROXY_PORT": "99999"})
    assert "proxy_port" in str(refused.value)
    assert "DRAWBRIDGE_PROXY_PORT (environment)" in str(refused.value)
    assert "0 to 65535" in refused.value.hint()


def test_a_bad_value_is_refused_even_where_a_higher_source_overrides_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="log_level"):
        load(tmp_path, managed={"log_level": "info"}, file='log_level = "loud"')


@pytest.mark.parametrize(
    ("sources", "near"),
    [
        ({"managed": {"proxy_prot": 1}}, "proxy_port"),
        ({"command_line": {"log-level": "info"}}, "log_level"),
        ({"environ": {"DRAWBRIDGE_PROXYPORT": "1"}}, "DRAWBRIDGE_PROXY_PORT"),
        ({"file": "polcy = '/x'"}, "policy"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(
    tmp_path: Path, sources: dict[str, object], near: str
) -> None:
    with pytest.raises(ConfigError, match="unknown") as refused:
        load(tmp_path, **sources)  # type: ignore[arg-type]
    assert refused.value.hint() == f"Did you mean {near}?"


def test_a_key_like_no_other_is_answered_with_all_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, file="zzz = 1")
    assert "state_dir" in refused.value.hint()


@pytest.mark.parametrize(
    ("file", "complaint"),
    [("proxy_port =", "not TOML"), (b"\xff", "not UTF-8"), (b"#" * 300_000, "larger than")],
)
def test_a_malformed_file_is_refused(tmp_path: Path, file: str | bytes, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        load(tmp_path, file=file)


def test_two_listeners_cannot_share_a_port(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="both 7718"):
        load(tmp_path, command_line={"proxy_port": 7718})
    both_free = load(tmp_path, command_line={"proxy_port": 0, "gateway_port": 0})
    assert both_free.proxy_port == both_free.gateway_port == 0


def test_what_lower_sources_said_is_kept_the_highest_first(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        managed={"log_level": "error"},
        environ={"DRAWBRIDGE_LOG_LEVEL": "debug", "DRAWBRIDGE_STATE_DIR": "/state"},
        file='log_level = "info"',
    )
    assert [(each.value, each.origin.source) for each in settings.overridden["log_level"]] == [
        ("debug", Source.ENVIRONMENT),
        ("info", Source.FILE),
    ]
    assert set(settings.overridden) == {"log_level"}  # a default that is not used was said by nobody
