"""The JSON Schema of whole documents, against the loader."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from agent.errors import ConfigError
from agent.host.mdm.schema import settings_schema
from agent.host.settings import load_settings, setting_rows
from tests.fakes.host import FakeManaged

SCHEMA = settings_schema(setting_rows())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
VALUES = {
    "state_dir": st.sampled_from(["/state", " /x ", "", "x", 3]),
    "proxy_port": st.sampled_from([0, 1, "1", 65536, True, None]),
    "gateway_port": st.sampled_from([0, 2, "2", -1]),
    "policy": st.sampled_from(["/p.yaml", "p.yaml"]),
    "upstream_ca_file": st.sampled_from(["/ca.pem", []]),
    "upstream_proxy": st.sampled_from(["none", "http://p:1", "http://u:p@h:1", "p:1"]),
    "resolve": st.sampled_from([[], ["a:1=b:2"], "a:1=b:2,c:3=d:4", ["a:1"], {}]),
    "log_level": st.sampled_from(["info", "INFO", "loud", 1]),
    "sign_in_issuer": st.sampled_from(
        [
            "https://id.example",
            "HTTPS://id.example:8443/t/",
            "none",
            "http://id.example",
            "http://localhost:1/x",
            "https://u:p@id.example",
            "https://id.example?x",
            "https://id.example/#a",
            "https://",
            "id.example",
            1,
        ]
    ),
    "sign_in_client": st.sampled_from(["abc", "", " x ", 1]),
    "sign_in_scopes": st.sampled_from(["email,groups", ["email"], [], ["a,b"], 1]),
    "sign_in_name_claim": st.sampled_from(["email", "", []]),
    "sign_in_groups_claim": st.sampled_from(["realm_access.roles", "", None]),
    "sign_in_grace_hours": st.sampled_from([0, 720, "72", 721, -1, True, "x"]),
    "sign_in_device_code": st.sampled_from([True, "off", 1, "maybe"]),
    "sign_in_port": st.sampled_from([0, 8765, "8765", 65536]),
}


def loads(document: Mapping[str, object]) -> bool:
    try:
        load_settings(
            command_line={},
            environ={},
            managed=FakeManaged(document),
            config_file=Path("/nowhere/config.toml"),
            default_state_dir=Path("/state"),
        )
    except ConfigError:
        return False
    return True


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert set(VALUES) | {row.name for row in setting_rows()} == {row.name for row in setting_rows()}


@given(document=st.fixed_dictionaries({}, optional={**VALUES, "unknown": st.just(1)}))
@hypothesis_settings(max_examples=150, deadline=None)
def test_it_accepts_what_the_loader_accepts(document: dict[str, object]) -> None:
    assert VALIDATOR.is_valid(document) == loads(document)


@pytest.mark.parametrize("name", [row.name for row in setting_rows()])
def test_its_examples_are_valid(name: str) -> None:
    properties = SCHEMA["properties"]
    assert isinstance(properties, dict)
    for example in properties[name].get("examples", ()):
        assert VALIDATOR.is_valid({name: example})
