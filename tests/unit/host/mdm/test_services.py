"""What Intune, Jamf Pro and Fleet import."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import jsonschema
import yaml

from agent.host.managed_darwin import DOMAIN
from agent.host.mdm.admx import NAMESPACE, admx
from agent.host.mdm.deployment import Deployment
from agent.host.mdm.services import fleet, intune, jamf
from agent.host.setting_rows import System
from agent.host.settings import setting_rows

VALUES = {"proxy_port": 7000, "resolve": ["a:1=b:2"], "log_level": "info"}


def test_intune_ingests_the_template_and_names_policies_by_their_path_in_it() -> None:
    rows = setting_rows()
    settings = intune(rows, Deployment(values=VALUES))["omaSettings"]
    assert isinstance(settings, list)
    ingest, *others = settings
    assert ingest["value"] == admx(rows)
    app = ingest["omaUri"].split("/")[-3]
    root = ET.fromstring(ingest["value"])
    parents = {
        category.attrib["name"]: [each.attrib["ref"] for each in category]
        for category in root.iter(f"{{{NAMESPACE}}}category")
    }
    for setting in others:
        area, policy = setting["omaUri"].split("/")[-2:]
        named, kind, *path = area.split("~")
        assert (named, kind) == (app, "Policy")
        (found,) = (each for each in root.iter(f"{{{NAMESPACE}}}policy") if each.attrib["name"] == policy)
        assert found[0].attrib["ref"] == path[-1]
        assert parents[path[-1]] == [path[0]]
        assert setting["value"].startswith("<enabled/><data id=")
    assert len(others) == len(VALUES)


def test_the_form_of_jamf_has_a_field_for_every_setting_and_fills_in_none() -> None:
    manifest = jamf(setting_rows())
    assert manifest["__preferencedomain"] == DOMAIN
    fields = manifest["properties"]
    assert isinstance(fields, dict)
    assert list(fields) == [row.name for row in setting_rows()]
    for row in setting_rows():
        field = fields[row.name]
        assert "default" not in field, "Jamf would deploy it"
        assert field["type"] in ("string", "integer", "boolean", "array")
        if (example := row.example(System.MACOS)) is not None:
            jsonschema.Draft202012Validator(field).validate(example)


def test_fleet_asks_for_what_was_deployed() -> None:
    sample = yaml.safe_load(fleet(Deployment(values=VALUES)))
    assert set(sample) == {"controls", "policies", "queries"}
    by_platform = {policy["platform"]: policy["query"] for policy in sample["policies"]}
    assert f"domain = '{DOMAIN}' AND name = 'proxy_port'" in by_platform["darwin"]
    assert (
        r"'HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Drawbridge' AND name = 'proxy_port'" in by_platform["windows"]
    )
    assert "/etc/drawbridge/managed.json" in by_platform["linux"]
    for policy in sample["policies"]:
        assert {"name", "description", "resolution", "query", "platform", "critical"} == set(policy)
        assert policy["query"].startswith("SELECT 1 FROM ")
    assert "AND name" not in fleet(Deployment(values={}))
