"""Makes the packages from a frozen program: `python build/packages --program DIR --out DIR [deb] [rpm] [msi] [pkg]`.

`make packages` freezes first, has the program test itself, and makes whatever this machine has the tools for.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import deb
import macos
import msi
import rpm
import sbom
import signing
from tools import SOURCE, Failed, MissingTool, Release, find, release, tell

type Build = Callable[[Path, bytes, Path, Path, Release], Path]

BUILDS: Mapping[str, Build] = {"deb": deb.build, "rpm": rpm.build, "msi": msi.build, "pkg": macos.build}
NEEDS: Mapping[str, tuple[str, ...]] = {
    "deb": ("dpkg-deb",),
    "rpm": ("rpmbuild",),
    "msi": ("wixl", "msiinfo"),
    "pkg": ("pkgbuild", "productbuild") if sys.platform == "darwin" else ("bsdtar", "cpio"),
}
NATIVE = {
    "linux": ("deb", "rpm"),
    "darwin": ("pkg",),
    "win32": (),
}  # Windows freezes, Linux packs: wixl is tried there
"""What is built where nothing is asked for. Every format can be built from any directory, to look at its structure."""


def main() -> int:
    """The exit status: 1 where a package that was asked for was not made."""
    options = _parser().parse_args()
    formats = options.formats or NATIVE.get(sys.platform, ())
    if options.tools:
        return _tell_missing(formats)
    told = release()
    out, program = options.out.absolute(), options.program.absolute()
    work = options.work.absolute()
    out.mkdir(parents=True, exist_ok=True)
    bill = sbom.bill(SOURCE / "requirements" / "run.txt", told)
    (out / "sbom.cdx.json").write_bytes(bill)
    made, missing = [out / "sbom.cdx.json"], []
    for name in formats:
        try:
            package = BUILDS[name](program, bill, out, work, told)
            signing.sign_package(package, told)
        except MissingTool as lack:
            missing.append(f"{name}: {lack}")
            tell(f"no {name}: {lack}")
        except Failed as failure:
            tell(f"no {name}: {failure}")
            return 1
        else:
            made.append(package)
            tell(f"{package.name}, {package.stat().st_size / 1e6:.1f} MB")
    sums = signing.checksums(made, out)
    for each in (sums, *made):
        if signing.sign_detached(each, told) is None:
            tell("nothing is signed: SIGN_GPG_KEY names no key (installers/README.md)")
            break
    return 1 if missing and not options.what_can_be_made else 0


def _tell_missing(formats: Sequence[str]) -> int:
    """Before the minutes that freezing takes: which tools are not there. The exit status."""
    missing = 0
    for name in formats:
        for tool in NEEDS[name]:
            try:
                find(tool)
            except MissingTool as lack:
                tell(f"no {name}: {lack}")
                missing += 1
    return 1 if missing else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="build/packages", description=__doc__)
    parser.add_argument("formats", nargs="*", choices=[[], *BUILDS], help="default: this platform's own")
    parser.add_argument("--tools", action="store_true", help="only tell which tools are missing")
    parser.add_argument(
        "--program",
        type=Path,
        default=SOURCE / "dist" / "program",
        help="the directory of the frozen program",
    )
    parser.add_argument("--out", type=Path, default=SOURCE / "dist" / "packages")
    parser.add_argument("--work", type=Path, default=SOURCE / "build" / ".work" / "packages")
    parser.add_argument(
        "--what-can-be-made", action="store_true", help="a format whose tools are missing is no failure"
    )
    return parser


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
