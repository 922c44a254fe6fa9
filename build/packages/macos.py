"""The macOS package. On a Mac installers/macos/build.sh makes it with Apple's tools from the tree laid out here.

Elsewhere the same flat format is written so that its structure can be looked at. That one has no bill of files (BOM),
which only Apple's tools write, so no Mac installs it; its name says so.
"""

from __future__ import annotations

import gzip
import platform
import plistlib
import shutil
import sys
from pathlib import Path, PurePosixPath
from xml.sax.saxutils import quoteattr

from layout import EXECUTABLE, Entry, lay_out, payload
from tools import SOURCE, Release, call, find

_FILES = SOURCE / "installers" / "macos"
HOME = "Library/Application Support/Drawbridge"
IDENTIFIER = "com.drawbridge.agent"
COMMAND = "com.drawbridge.command"
_SCRIPTS = ("preinstall", "postinstall")


def build(program: Path, sbom: bytes, out: Path, work: Path, release: Release) -> Path:
    """Write the package to the directory `out`; its path. Raises MissingTool, Failed."""
    for tool in ("pkgbuild", "productbuild") if sys.platform == "darwin" else ("bsdtar", "cpio"):
        find(tool)
    tree = work / "pkg"
    lay_out_tree(program, sbom, tree, release)
    if sys.platform == "darwin":
        call(["sh", _FILES / "build.sh", tree, out, release.version, platform.machine()], release)
        return out / f"drawbridge-{release.version}-{platform.machine()}.pkg"
    return _structure(tree, out, work, release)


def lay_out_tree(program: Path, sbom: bytes, tree: Path, release: Release) -> None:
    """The roots and scripts of both components, and what the installer is told of them. Raises Failed."""
    shutil.rmtree(tree, ignore_errors=True)
    daemon = _FILES / f"{IDENTIFIER}.plist"
    tray = _FILES / "com.drawbridge.tray.plist"
    for each in (daemon, tray):
        plistlib.loads(each.read_bytes())  # a mistake in it would be found by launchd, on every Mac
    agent = (
        *payload(program, f"{HOME}/program"),
        Entry(path=PurePosixPath(HOME, "uninstall.sh"), source=_FILES / "uninstall.sh", mode=EXECUTABLE),
        Entry(path=PurePosixPath(HOME, "program/sbom.cdx.json"), content=sbom),
        Entry(path=PurePosixPath("Library/LaunchDaemons", daemon.name), source=daemon),
        Entry(path=PurePosixPath("Library/LaunchAgents", tray.name), source=tray),
        Entry(
            path=PurePosixPath(f"private/etc/newsyslog.d/{IDENTIFIER}.conf"), source=_FILES / "newsyslog.conf"
        ),
    )
    lay_out(agent, tree / "agent" / "root", release.epoch)
    scripts = (
        Entry(path=PurePosixPath(name), source=_FILES / "scripts" / name, mode=EXECUTABLE)
        for name in _SCRIPTS
    )
    lay_out(tuple(scripts), tree / "agent" / "scripts", release.epoch)
    link = Entry(path=PurePosixPath("usr/local/bin/drawbridge"), link=f"/{HOME}/program/drawbridge")
    lay_out((link,), tree / "command" / "root", release.epoch)
    distribution = (_FILES / "Distribution.xml").read_text(encoding="utf-8")
    architecture = platform.machine()
    for name, value in (("VERSION", release.version), ("ARCH", architecture)):
        distribution = distribution.replace(f"@{name}@", value)
    (tree / "Distribution").write_text(distribution, encoding="utf-8")


def _structure(tree: Path, out: Path, work: Path, release: Release) -> Path:
    flat = work / "flat"
    shutil.rmtree(flat, ignore_errors=True)
    flat.mkdir(parents=True)
    shutil.copyfile(tree / "Distribution", flat / "Distribution")
    for name, identifier in (("agent", IDENTIFIER), ("command", COMMAND)):
        root, scripts, component = tree / name / "root", tree / name / "scripts", flat / f"{name}.pkg"
        component.mkdir()
        (component / "Payload").write_bytes(_archive(root, release))
        if scripts.is_dir():
            (component / "Scripts").write_bytes(_archive(scripts, release))
        files = sorted(root.rglob("*"))
        size = sum(path.lstat().st_size for path in files) // 1024
        (component / "PackageInfo").write_text(
            _package_info(identifier, release.version, len(files) + 1, size, scripted=scripts.is_dir()),
            encoding="utf-8",
        )
    package = out / f"drawbridge-{release.version}-structure-only.pkg"
    members = sorted(str(path.relative_to(flat)) for path in flat.rglob("*"))
    call(
        ["bsdtar", "--format=xar", "--options", "xar:compression=none,xar:checksum=sha1,xar:toc-checksum=sha1",
         "-cf", package, "-n", *members],
        release, cwd=flat,
    )  # fmt: skip
    return package


def _archive(root: Path, release: Release) -> bytes:
    """A cpio archive as installers read it: old ASCII format, everything root's, compressed."""
    names = sorted(f"./{path.relative_to(root)}" for path in root.rglob("*"))
    listed = "\0".join([".", *names]).encode() + b"\0"
    packed = call(
        ["cpio", "-o", "--quiet", "--null", "--format", "odc", "--reproducible", "-R", "0:0"],
        release,
        cwd=root,
        stdin=listed,
    )
    return gzip.compress(packed, 9, mtime=0)


def _package_info(identifier: str, version: str, files: int, size: int, *, scripted: bool) -> str:
    scripts = "".join(f'<{name} file="./{name}"/>' for name in _SCRIPTS) if scripted else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<pkg-info format-version="2" identifier={quoteattr(identifier)} version={quoteattr(version)} '
        'overwrite-permissions="true" relocatable="false" install-location="/" auth="root">\n'
        f'    <payload numberOfFiles="{files}" installKBytes="{size}"/>\n'
        f"    {f'<scripts>{scripts}</scripts>' if scripts else ''}\n"
        "</pkg-info>\n"
    )
