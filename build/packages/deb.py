"""The Debian package."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from layout import EXECUTABLE, Entry, installed_size, lay_out
from linux import ARCHITECTURES, CONFIGS, gzipped, machine, oldest_glibc, tree
from tools import SOURCE, Release, call, find

_FILES = SOURCE / "installers" / "linux" / "deb"
_SCRIPTS = ("postinst", "prerm", "postrm")
MAINTAINER = "The Drawbridge authors <security@drawbridge.invalid>"
_DESCRIPTION = """gate between the AI tools on a laptop and the models they talk to
 Drawbridge intercepts the traffic of AI services, and of nothing else, judges
 it on the device, forwards it, and records what it decided.
 .
 It works offline and needs no server. Policies say what is redacted, blocked
 or only recorded, which programs may ask, and which accounts they may use."""


def build(program: Path, sbom: bytes, out: Path, work: Path, release: Release) -> Path:
    """Write the package to the directory `out`; its path. Raises MissingTool, Failed."""
    find("dpkg-deb")
    architecture = ARCHITECTURES[machine()]
    root = work / "deb"
    entries = lay_out((*tree(program, sbom), *_documents(release)), root, release.epoch)
    control = {
        "control": _control(release, architecture, oldest_glibc(program), installed_size(entries, root)),
        "conffiles": "".join(f"/{path}\n" for path in CONFIGS),
        "md5sums": "".join(
            # dpkg's own format: it finds accidents, not attackers
            f"{hashlib.md5((root / each.path).read_bytes(), usedforsecurity=False).hexdigest()}  {each.path}\n"
            for each in entries
            if not each.link and str(each.path) not in CONFIGS
        ),
    }
    scripts = {name: (_FILES / name).read_text(encoding="utf-8") for name in _SCRIPTS}
    laid = (
        *(Entry(path=PurePosixPath(name), content=text.encode()) for name, text in control.items()),
        *(
            Entry(path=PurePosixPath(name), content=text.encode(), mode=EXECUTABLE)
            for name, text in scripts.items()
        ),
    )
    lay_out(laid, root / "DEBIAN", release.epoch)
    package = out / f"drawbridge_{release.version}-1_{architecture}.deb"
    # one thread: with several, what xz writes depends on how many there are
    call(["dpkg-deb", "--root-owner-group", "--threads-max=1", "-Zxz", "-b", root, package], release)
    return package


def _documents(release: Release) -> tuple[Entry, ...]:
    documents = PurePosixPath("usr/share/doc/drawbridge")
    day = datetime.fromtimestamp(release.epoch, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    changelog = (
        f"drawbridge ({release.version}-1) stable; urgency=medium\n\n"
        "  * What is new stands in the changelog of the source tree, CHANGELOG.md.\n\n"
        f" -- {MAINTAINER}  {day}\n"
    )
    return (
        Entry(path=documents / "copyright", source=_FILES / "copyright"),
        Entry(path=documents / "changelog.Debian.gz", content=gzipped(changelog.encode())),
        Entry(path=documents / "changelog.gz", content=gzipped((SOURCE / "CHANGELOG.md").read_bytes())),
        Entry(
            path=PurePosixPath("usr/share/lintian/overrides/drawbridge"), source=_FILES / "lintian-overrides"
        ),
    )


def _control(release: Release, architecture: str, glibc: str, size: int) -> str:
    fields = {
        "Package": "drawbridge",
        "Version": f"{release.version}-1",
        "Architecture": architecture,
        "Maintainer": MAINTAINER,
        "Installed-Size": str(size),
        "Pre-Depends": "init-system-helpers (>= 1.54~)",
        "Depends": f"libc6 (>= {glibc}), systemd (>= 245), ca-certificates, passwd",
        "Recommends": "dconf-cli, libnss3-tools",
        "Suggests": "nftables, zenity | kdialog",  # the latter two: the tray's question for the reason of a pause
        "Section": "net",
        "Priority": "optional",
        "Description": _DESCRIPTION,
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items())
