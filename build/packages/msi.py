"""The Windows package. The program is frozen on Windows, wixl packs it on Linux, and what it wrote is read back."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

from tools import SOURCE, Failed, Release, call, find

_WXS = SOURCE / "installers" / "windows" / "drawbridge.wxs"
_NAMESPACE = uuid.UUID("3f3c1c3a-6f0e-4b7d-9a45-0f7a0f6d2c11")
"""Names of components are made from paths with it, and never change: an upgrade counts on that."""
PROGRAM = "drawbridge.exe"
INSTALL_INITIALIZE, REMOVE_FILES = 1500, 3500


@dataclass(slots=True)
class _Folder:
    files: list[Path] = field(default_factory=list)
    folders: dict[str, _Folder] = field(default_factory=dict)


def build(program: Path, sbom: bytes, out: Path, work: Path, release: Release) -> Path:
    """Write the package to the directory `out`; its path. Raises MissingTool, Failed."""
    for tool in ("wixl", "msiinfo"):
        find(tool)
    if not (program / PROGRAM).is_file():
        raise Failed(f"{program} holds no {PROGRAM}: freeze on Windows")
    directory = work / "msi"
    directory.mkdir(parents=True, exist_ok=True)
    bill = directory / "sbom.cdx.json"
    bill.write_bytes(sbom)
    top = _folder(program)
    top.files = [path for path in top.files if path.name != PROGRAM] + [bill]
    components: list[str] = []
    directories = "\n".join(_written(top, program, "INSTALLDIR", "", components))
    source = directory / "drawbridge.wxs"
    values = {
        "PRODUCT": str(uuid.uuid5(_NAMESPACE, f"product {release.version}")).upper(),
        "VERSION": release.version,
        "PROGRAM": _named(program / PROGRAM),
        "DIRECTORIES": directories,
        "REFERENCES": "\n".join(f'      <ComponentRef Id="{each}"/>' for each in components),
    }
    text = _WXS.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    source.write_text(text, encoding="utf-8")
    package = out / f"drawbridge-{release.version}-x64.msi"
    package.unlink(missing_ok=True)
    call(["wixl", "-a", "x64", "-o", package, source], release, cwd=Path("/"))
    check(package, release)
    return package


def table(package: Path, name: str, release: Release) -> list[dict[str, str]]:
    """The rows of one of the package's tables. Raises MissingTool, Failed."""
    lines = call(["msiinfo", "export", package, name], release).decode().splitlines()
    columns = lines[0].split("\t")
    return [dict(zip(columns, line.split("\t"), strict=False)) for line in lines[3:]]


def check(package: Path, release: Release) -> None:
    """What wixl is known to get wrong makes a package that installs, and fails years later: look. Raises Failed."""
    sequence = {
        row["Action"]: int(row["Sequence"]) for row in table(package, "InstallExecuteSequence", release)
    }
    for action in ("RestoreSettings", "RemoveTrust"):
        if not INSTALL_INITIALIZE < sequence[action] < REMOVE_FILES:
            raise Failed(
                f"{action} stands at {sequence[action]}: deferred actions belong inside the installation"
            )
    services = table(package, "ServiceInstall", release)
    if [(row["Name"], row["StartType"]) for row in services] != [("drawbridge", "2")]:
        raise Failed("the service is missing from the package")
    guids = [row["ComponentId"] for row in table(package, "Component", release)]
    if len(set(guids)) != len(guids):
        raise Failed("two components have one GUID")


def _folder(root: Path) -> _Folder:
    top = _Folder()
    for path in sorted(root.rglob("*")):
        if not path.is_file():
            continue
        folder = top
        for part in path.relative_to(root).parts[:-1]:
            folder = folder.folders.setdefault(part, _Folder())
        folder.files.append(path)
    return top


def _written(folder: _Folder, root: Path, name: str, below: str, components: list[str]) -> Iterator[str]:
    """A component for each file: only so do upgrades count files."""
    for path in folder.files:
        place = f"{below}{path.name}"
        key = _key(place)
        components.append(f"C{key}")
        guid = str(uuid.uuid5(_NAMESPACE, f"component {place}")).upper()
        yield f'<Component Id="C{key}" Guid="{guid}" Win64="yes">'
        yield f'<File Id="F{key}" Name={quoteattr(path.name)} Source={quoteattr(_named(path))} KeyPath="yes"/>'
        yield "</Component>"
    for part, inner in folder.folders.items():
        place = f"{below}{part}/"
        yield f'<Directory Id="D{_key(place)}" Name={quoteattr(part)}>'
        yield from _written(inner, root, name, place, components)
        yield "</Directory>"


def _named(path: Path) -> str:
    """As wixl finds it, which takes no absolute paths: from the root on."""
    return str(path.absolute().relative_to("/"))


def _key(place: str) -> str:
    return hashlib.sha256(place.lower().encode()).hexdigest()[:32]
