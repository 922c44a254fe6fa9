"""The administrative template for Windows (ADMX) and its English texts (ADML), as Microsoft's schema wants them.

A policy writes the value that `managed_windows` reads: text and words as REG_SZ, numbers and switches as REG_DWORD, a
list as the values of a subkey.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence

from agent.host.managed_windows import POLICY_KEY
from agent.host.mdm.deployment import Deployment
from agent.host.setting_rows import Category, Row, System
from agent.host.setting_shapes import PORT_LIMIT, Kind
from agent.host.setting_values import TEXT_LIMIT

NAMESPACE = "http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions"
ROOT_CATEGORY = "Drawbridge"
_REVISION = {"revision": "1.0", "schemaVersion": "1.0"}


def policy_name(row: Row) -> str:
    """The name of a setting's policy: `ProxyPort`."""
    return "".join(word.capitalize() for word in row.name.split("_"))


def category_name(category: Category) -> str:
    """The name of a category below ours."""
    return f"{ROOT_CATEGORY}{category.value.replace('-', '')}"


def admx(rows: Sequence[Row]) -> str:
    """The definitions, with policies in the order of the table."""
    root = ET.Element("policyDefinitions", {"xmlns": NAMESPACE, **_REVISION})
    spaces = ET.SubElement(root, "policyNamespaces")
    ET.SubElement(spaces, "target", prefix="drawbridge", namespace="Drawbridge.Policies.Agent")
    ET.SubElement(root, "resources", minRequiredRevision="1.0")
    # versions and categories of our own: the file depends on no other, which Intune would want first
    definitions = ET.SubElement(ET.SubElement(root, "supportedOn"), "definitions")
    for since in _versions(rows):
        ET.SubElement(
            definitions, "definition", name=_supported(since), displayName=f"$(string.{_supported(since)})"
        )
    categories = ET.SubElement(root, "categories")
    ET.SubElement(categories, "category", name=ROOT_CATEGORY, displayName=f"$(string.{ROOT_CATEGORY})")
    for each in _categories(rows):
        name = category_name(each)
        category = ET.SubElement(categories, "category", name=name, displayName=f"$(string.{name})")
        ET.SubElement(category, "parentCategory", ref=ROOT_CATEGORY)
    policies = ET.SubElement(root, "policies")
    for row in rows:
        _policy(policies, row)
    return _text(root)


def adml(rows: Sequence[Row]) -> str:
    """The English texts of the definitions."""
    root = ET.Element("policyDefinitionResources", {"xmlns": NAMESPACE, **_REVISION})
    ET.SubElement(root, "displayName").text = "Drawbridge"
    ET.SubElement(root, "description").text = "Settings of the Drawbridge agent."
    resources = ET.SubElement(root, "resources")
    strings = ET.SubElement(resources, "stringTable")
    for identifier, words in _strings(rows):
        ET.SubElement(strings, "string", id=identifier).text = words
    presentations = ET.SubElement(resources, "presentationTable")
    for row in rows:
        _presentation(presentations, row)
    return _text(root)


def enabled(row: Row, value: object) -> str:
    """What MDM writes to switch a policy of ours on with a value: the data of an ADMX-backed policy."""
    if row.shape.kind is Kind.SWITCH:
        return "<enabled/>" if value else "<disabled/>"
    match value:
        case list():
            # pairs of name and value, parted by U+F000
            told = "\uf000".join(f"{index}\uf000{each}" for index, each in enumerate(value, start=1))
        case _:
            told = str(value)
    data = ET.Element("data", id=row.name, value=told)
    return "<enabled/>" + ET.tostring(data, encoding="unicode")


def registry_file(rows: Sequence[Row], deployment: Deployment) -> str:
    """A file for the registry editor that sets these values. Raises ValueError for text that is not ASCII."""
    shapes = {row.name: row.shape.kind for row in rows}
    lines = ["Windows Registry Editor Version 5.00", "", rf"[HKEY_LOCAL_MACHINE\{POLICY_KEY}]"]
    lists: list[str] = []
    for name, value in deployment.values.items():
        match value:
            case list():
                key = rf"HKEY_LOCAL_MACHINE\{POLICY_KEY}\{name}"
                lists += ["", f"[-{key}]", f"[{key}]"]
                lists += [f'"{index}"={_quoted(str(each))}' for index, each in enumerate(value, start=1)]
            case int() if shapes[name] in (Kind.NUMBER, Kind.SWITCH):
                lines.append(f'"{name}"=dword:{value:08x}')
            case _:
                lines.append(f'"{name}"={_quoted(str(value))}')
    text = "\r\n".join([*lines, *lists, ""])
    if not text.isascii():
        raise ValueError("a registry file of this form holds ASCII only")
    return text


def _quoted(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


def _policy(policies: ET.Element, row: Row) -> None:
    name = policy_name(row)
    facts = {
        "name": name,
        "class": "Machine",
        "displayName": f"$(string.{name})",
        "explainText": f"$(string.{name}_Explain)",
        "presentation": f"$(presentation.{name})",
        "key": POLICY_KEY,
    }
    if row.shape.kind is Kind.SWITCH:
        facts |= {"valueName": row.name}
    policy = ET.SubElement(policies, "policy", facts)
    ET.SubElement(policy, "parentCategory", ref=category_name(row.key.category))
    ET.SubElement(policy, "supportedOn", ref=_supported(row.key.since))
    if row.shape.kind is Kind.SWITCH:
        for state, number in (("enabledValue", "1"), ("disabledValue", "0")):
            ET.SubElement(ET.SubElement(policy, state), "decimal", value=number)
    else:
        _element(ET.SubElement(policy, "elements"), row)


def _element(elements: ET.Element, row: Row) -> None:
    facts = {"id": row.name, "valueName": row.name, "required": "true"}
    match row.shape.kind:
        case Kind.NUMBER:
            low, high = row.shape.form.get("minimum", 0), row.shape.form.get("maximum", PORT_LIMIT)
            ET.SubElement(elements, "decimal", facts, minValue=str(low), maxValue=str(high))
        case Kind.CHOICE:
            choices = ET.SubElement(elements, "enum", facts)
            for word in row.shape.words:
                item = ET.SubElement(choices, "item", displayName=f"$(string.{_word(row, word)})")
                ET.SubElement(ET.SubElement(item, "value"), "string").text = word
        case Kind.LIST:
            ET.SubElement(elements, "list", id=row.name, key=rf"{POLICY_KEY}\{row.name}", valuePrefix="")
        case _:
            ET.SubElement(elements, "text", facts, maxLength=str(TEXT_LIMIT))


def _presentation(table: ET.Element, row: Row) -> None:
    presentation = ET.SubElement(table, "presentation", id=policy_name(row))
    label = f"{row.title}:"
    match row.shape.kind:
        case Kind.SWITCH:
            ET.SubElement(presentation, "text").text = row.key.about
        case Kind.NUMBER:
            example = row.example(System.WINDOWS)
            facts = {"defaultValue": str(example)} if isinstance(example, int) else {}
            ET.SubElement(presentation, "decimalTextBox", refId=row.name, attrib=facts).text = label
        case Kind.CHOICE:
            example = row.example(System.WINDOWS)
            facts = (
                {"defaultItem": str(row.shape.words.index(str(example)))}
                if example in row.shape.words
                else {}
            )
            ET.SubElement(
                presentation, "dropdownList", {"refId": row.name, "noSort": "true", **facts}
            ).text = label
        case Kind.LIST:
            ET.SubElement(presentation, "listBox", refId=row.name).text = label
        case _:
            box = ET.SubElement(presentation, "textBox", refId=row.name)
            ET.SubElement(box, "label").text = label
            if (example := row.example(System.WINDOWS)) is not None and row.key.starter:
                ET.SubElement(box, "defaultValue").text = str(example)


def _strings(rows: Sequence[Row]) -> Iterable[tuple[str, str]]:
    for since in _versions(rows):
        yield _supported(since), f"Drawbridge {since} and later"
    yield ROOT_CATEGORY, "Drawbridge"
    for category in _categories(rows):
        yield category_name(category), category.value
    for row in rows:
        yield policy_name(row), row.title
        yield f"{policy_name(row)}_Explain", explained(row)
        for word in row.shape.words:
            yield _word(row, word), word


def explained(row: Row) -> str:
    """Everything that an administrator is told of a setting."""
    return (
        f"{row.key.about}\n\nAllowed: {row.key.allowed}.\nDefault: {row.default}.\n"
        f"A change takes hold {row.key.takes_hold.value}.\n\n"
        "Not configured: the machine's own configuration decides, else the default.\n"
        f"Name of the setting: {row.name}"
    )


def _versions(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row.key.since for row in rows))


def _categories(rows: Sequence[Row]) -> list[Category]:
    used = {row.key.category for row in rows}
    return [category for category in Category if category in used]


def _supported(since: str) -> str:
    return f"SUPPORTED_Drawbridge_{since.replace('.', '_')}"


def _word(row: Row, word: str) -> str:
    return f"{policy_name(row)}_{''.join(each if each.isalnum() else '_' for each in word)}"


def _text(root: ET.Element) -> str:
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
