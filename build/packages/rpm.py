"""The RPM package."""

from __future__ import annotations

import shutil
from pathlib import Path

from layout import directories, lay_out
from linux import CONFIGS, machine, oldest_glibc, tree
from tools import SOURCE, Release, call, find

_SPEC = SOURCE / "installers" / "linux" / "rpm" / "drawbridge.spec"
_OURS = ("drawbridge",)  # directories of these names are ours; every other belongs to the system


def build(program: Path, sbom: bytes, out: Path, work: Path, release: Release) -> Path:
    """Write the package to the directory `out`; its path. Raises MissingTool, Failed."""
    find("rpmbuild")
    root = work / "rpm" / "tree"
    entries = lay_out(tuple(tree(program, sbom)), root, release.epoch)
    owned = [path for path in directories(entries) if set(_OURS) & set(path.parts)]
    lines = [f'%dir %attr(0755, root, root) "/{path}"' for path in owned]
    for each in entries:
        config = "%config(noreplace) " if str(each.path) in CONFIGS else ""
        mode = "-" if each.link else f"{each.mode:04o}"
        lines.append(f'{config}%attr({mode}, root, root) "/{each.path}"')
    files = work / "rpm" / "files"
    files.write_text("\n".join(lines) + "\n")
    spec = work / "rpm" / "drawbridge.spec"
    spec.write_text(
        _filled(
            _SPEC.read_text(encoding="utf-8"),
            VERSION=release.version,
            ARCH=machine(),
            GLIBC=oldest_glibc(program),
            TREE=str(root),
            FILES=str(files),
        )
    )
    top = work / "rpm" / "top"
    shutil.rmtree(top, ignore_errors=True)
    call(
        ["rpmbuild", "-bb", "--quiet", "--target", machine(), "--define", f"_topdir {top}",
         "--define", "_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm", spec],
        release,
    )  # fmt: skip
    (built,) = (top / "RPMS").glob("*.rpm")
    return Path(shutil.move(built, out / built.name))


def _filled(text: str, **values: str) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text
