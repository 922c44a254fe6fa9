"""The bill of materials: every library of the lock, the interpreter and what it links to, as CycloneDX 1.6."""

from __future__ import annotations

import json
import platform
import sqlite3
import ssl
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from tools import Release

_NAMESPACE = uuid.UUID("8c1d4f6e-5a7b-4f0e-9d55-6b1f0c9a2e11")


def bill(lock: Path, release: Release) -> bytes:
    """The document, alike for alike input. A licence is told where the library is installed beside us."""
    components = [*_runtime(), *(_component(line) for line in _pinned(lock))]
    text = json.dumps(components, sort_keys=True)
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, release.version + text)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(release.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": "drawbridge",
                "name": "drawbridge",
                "version": release.version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": components,
        "dependencies": [
            {"ref": "drawbridge", "dependsOn": sorted(str(each["bom-ref"]) for each in components)}
        ],
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def _pinned(lock: Path) -> Iterator[str]:
    """The lines of a lock that name a library: `name==version`, and perhaps a marker."""
    for line in lock.read_text(encoding="utf-8").splitlines():
        if "==" in line and not line.startswith((" ", "#")):
            yield line.rstrip("\\ ").strip()


def _component(line: str) -> dict[str, object]:
    pinned, _, marker = line.partition(" ; ")
    name, version = pinned.split("==")
    component: dict[str, object] = {
        "type": "library",
        "bom-ref": f"pkg:pypi/{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
    }
    if licence := _licence(name, version):
        component["licenses"] = [{"license": {"name": licence}}]
    if marker:
        component["properties"] = [{"name": "python:marker", "value": marker}]
    return component


def _licence(name: str, version: str) -> str:
    try:
        found = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    if found["Version"] != version:
        return ""
    if expression := found.get("License-Expression"):
        return str(expression)
    classified = [
        each.rpartition(" :: ")[2] for each in found.get_all("Classifier", []) if "License ::" in each
    ]
    told = str(found.get("License") or "").strip()
    return "; ".join(classified) or (told if "\n" not in told else "")


def _runtime() -> Iterator[dict[str, object]]:
    """What lies in the program besides the lock's libraries."""
    openssl = ssl.OPENSSL_VERSION.split()[1]
    for name, version in (
        ("cpython", platform.python_version()),
        ("openssl", openssl),
        ("sqlite", sqlite3.sqlite_version),
    ):
        yield {"type": "library", "bom-ref": f"{name}@{version}", "name": name, "version": version}
