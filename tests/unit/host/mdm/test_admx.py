"""The administrative template: well-formed, as Microsoft's schema orders it, and read back as it was meant."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from agent.host.managed_windows import POLICY_KEY, RegistryPolicy
from agent.host.mdm.admx import NAMESPACE, adml, admx, enabled, registry_file
from agent.host.mdm.deployment import Deployment
from agent.host.setting_rows import Row, System
from agent.host.settings import Settings, load_settings, setting_rows
from tests.fakes.settings_table import ONE_OF_EACH

N = f"{{{NAMESPACE}}}"
BOTH = pytest.mark.parametrize("rows", [setting_rows(), ONE_OF_EACH], ids=["settings", "one of each"])

ORDER = {
    "policyDefinitions": ["policyNamespaces", "resources", "supportedOn", "categories", "policies"],
    "policyDefinitionResources": ["displayName", "description", "resources"],
    "resources": ["stringTable", "presentationTable"],
    "policy": ["parentCategory", "supportedOn", "enabledValue", "disabledValue", "elements"],
    "elements": ["boolean", "decimal", "text", "enum", "list", "multiText"],
    "presentation": ["text", "decimalTextBox", "textBox", "checkBox", "comboBox", "dropdownList", "listBox"],
    "textBox": ["label", "defaultValue"],
    "item": ["value"],
    "value": ["delete", "decimal", "string"],
}
"""Children in the order in which PolicyDefinitionFiles.xsd and PolicyDefinitions.xsd demand or allow them."""

ATTRIBUTES = {
    "policy": ({"name", "class", "displayName", "key"}, {"explainText", "presentation", "valueName"}),
    "category": ({"name", "displayName"}, {"explainText"}),
    "definition": ({"name", "displayName"}, set()),
    "decimal": ({"id"}, {"key", "valueName", "required", "minValue", "maxValue", "storeAsText", "soft"}),
    "text": ({"id"}, {"key", "valueName", "required", "maxLength", "expandable", "soft"}),
    "enum": ({"id"}, {"key", "valueName", "required"}),
    "list": ({"id"}, {"key", "valuePrefix", "additive", "expandable", "explicitValue"}),
    "item": ({"displayName"}, set()),
    "decimalTextBox": ({"refId"}, {"defaultValue", "spin", "spinStep"}),
    "dropdownList": ({"refId"}, {"noSort", "defaultItem"}),
    "listBox": ({"refId"}, set()),
    "textBox": ({"refId"}, set()),
}
"""What must and what may be there."""

PAIRS = {"decimal": "decimalTextBox", "text": "textBox", "enum": "dropdownList", "list": "listBox"}


def tag(element: ET.Element) -> str:
    return element.tag.removeprefix(N)


def references(root: ET.Element, kind: str) -> Iterator[str]:
    for element in root.iter():
        for value in element.attrib.values():
            if value.startswith(f"$({kind}."):
                yield value[len(kind) + 3 : -1]


@BOTH
def test_elements_and_attributes_are_those_of_the_schema(rows: Sequence[Row]) -> None:
    for text in (admx(rows), adml(rows)):
        root = ET.fromstring(text)
        assert {element.tag[: len(N)] for element in root.iter()} == {N}
        for element in root.iter():
            children = [tag(child) for child in element]
            if (order := ORDER.get(tag(element))) is not None and children:
                places = [order.index(child) for child in children]
                assert places == sorted(places)
            inside_value = tag(element) in ("decimal", "text") and "id" not in element.attrib
            if tag(element) in ATTRIBUTES and not inside_value:
                must, may = ATTRIBUTES[tag(element)]
                assert must <= set(element.attrib) <= must | may


@BOTH
def test_every_text_and_presentation_is_there_and_none_is_idle(rows: Sequence[Row]) -> None:
    definitions, texts = ET.fromstring(admx(rows)), ET.fromstring(adml(rows))
    strings = [element.attrib["id"] for element in texts.iter(f"{N}string")]
    presentations = [element.attrib["id"] for element in texts.iter(f"{N}presentation")]
    assert len(set(strings)) == len(strings)
    assert set(strings) == set(references(definitions, "string"))
    assert presentations == list(references(definitions, "presentation"))
    assert [element.attrib["id"] for element in texts.iter(f"{N}string") if not element.text] == []


@BOTH
def test_every_element_is_shown_by_a_box_of_its_kind(rows: Sequence[Row]) -> None:
    boxes = {
        (presentation.attrib["id"], box.attrib["refId"]): tag(box)
        for presentation in ET.fromstring(adml(rows)).iter(f"{N}presentation")
        for box in presentation
        if "refId" in box.attrib
    }
    elements = {
        (policy.attrib["name"], element.attrib["id"]): PAIRS[tag(element)]
        for policy in ET.fromstring(admx(rows)).iter(f"{N}policy")
        for group in policy.iter(f"{N}elements")
        for element in group
    }
    assert boxes == elements


@BOTH
def test_categories_and_versions_are_defined_before_they_are_used(rows: Sequence[Row]) -> None:
    root = ET.fromstring(admx(rows))
    categories = {element.attrib["name"] for element in root.iter(f"{N}category")}
    versions = {element.attrib["name"] for element in root.iter(f"{N}definition")}
    used = [element.attrib["ref"] for element in root.iter(f"{N}parentCategory")]
    assert set(used) <= categories
    assert categories - set(used) == set()
    supported = {policy.find(f"{N}supportedOn").attrib["ref"] for policy in root.iter(f"{N}policy")}  # type: ignore[union-attr]
    assert supported == versions


@BOTH
def test_names_and_ids_hold_what_the_schema_lets_them(rows: Sequence[Row]) -> None:
    definitions, texts = ET.fromstring(admx(rows)), ET.fromstring(adml(rows))
    names = [
        element.attrib[key]
        for element in definitions.iter()
        for key in ("name", "ref")
        if key in element.attrib
    ]
    names += [element.attrib["id"] for element in texts.iter() if "id" in element.attrib]
    assert [name for name in names if not name.replace("_", "").isalnum()] == []


def written(
    policy: ET.Element, row: Row
) -> Iterator[tuple[list[tuple[str, object]], list[tuple[str, object]]]]:
    """What Windows can write for a policy that is switched on: values, and subkeys with theirs."""
    assert policy.attrib["key"] == POLICY_KEY
    for state in ("enabledValue", "disabledValue"):
        for number in policy.iterfind(f"{N}{state}/{N}decimal"):
            yield [(policy.attrib["valueName"], int(number.attrib["value"]))], []
    for element in (each for group in policy.iter(f"{N}elements") for each in group):
        name = element.attrib.get("valueName", "")
        match tag(element):
            case "enum":
                for word in element.iter(f"{N}string"):
                    yield [(name, word.text)], []
            case "decimal":
                yield [(name, int(element.attrib["minValue"]))], []
                yield [(name, int(element.attrib["maxValue"]))], []
            case "list":
                example = row.example(System.WINDOWS)
                assert isinstance(example, list)
                subkey = element.attrib["key"].removeprefix(POLICY_KEY + "\\")
                yield [], [(subkey, [(str(index), each) for index, each in enumerate(example, start=1)])]
            case _ if row.name == "upstream_proxy":
                yield [(name, row.example(System.WINDOWS))], []
            case _:  # a path: the loader of this machine reads those of its own system
                yield [(name, row.example(System.LINUX))], []


def load(values: object, lists: object = ()) -> Settings:
    return load_settings(
        command_line={},
        environ={},
        managed=RegistryPolicy(lambda: values, lambda: lists),  # type: ignore[arg-type, return-value]
        config_file=Path("/nowhere/config.toml"),
        default_state_dir=Path("/state"),
    )


def test_whatever_a_policy_can_write_is_a_setting() -> None:
    rows = {row.name: row for row in setting_rows()}
    count = 0
    for policy, row in zip(
        ET.fromstring(admx(setting_rows())).iter(f"{N}policy"), rows.values(), strict=True
    ):
        for values, lists in written(policy, row):
            settings = load(values, lists)
            assert settings.origins[row.name].source == "managed"
            count += 1
    assert count >= len(rows) + 3  # every word of a choice among them


def test_enabled_policies_carry_their_data() -> None:
    rows = {row.name: row for row in ONE_OF_EACH}
    assert enabled(rows["door"], 80) == '<enabled/><data id="door" value="80" />'
    assert enabled(rows["name"], 'a "b" & <c>') == (
        '<enabled/><data id="name" value="a &quot;b&quot; &amp; &lt;c&gt;" />'
    )
    assert (
        enabled(rows["names"], ["a", "b"]) == '<enabled/><data id="names" value="1\uf000a\uf0002\uf000b" />'
    )
    assert (enabled(rows["guard"], True), enabled(rows["guard"], False)) == ("<enabled/>", "<disabled/>")


def test_a_registry_file_is_read_back() -> None:
    values = {"policy": r"C:\a \"b", "proxy_port": 7000, "resolve": ["a:1=b:2", "c:3=d:4"]}
    lines = registry_file(setting_rows(), Deployment(values=values)).split("\r\n")
    assert lines[0] == "Windows Registry Editor Version 5.00"
    assert lines[2:] == [
        rf"[HKEY_LOCAL_MACHINE\{POLICY_KEY}]",
        r'"policy"="C:\\a \\\"b"',
        '"proxy_port"=dword:00001b58',
        "",
        rf"[-HKEY_LOCAL_MACHINE\{POLICY_KEY}\resolve]",  # else entries of a longer list stay behind
        rf"[HKEY_LOCAL_MACHINE\{POLICY_KEY}\resolve]",
        '"1"="a:1=b:2"',
        '"2"="c:3=d:4"',
        "",
    ]
    with pytest.raises(ValueError, match="ASCII"):
        registry_file(setting_rows(), Deployment(values={"policy": "C:\\ü"}))
