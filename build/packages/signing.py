"""Checksums, and signatures where the environment names a key. Without one nothing is signed, and that is said.

SIGN_GPG_KEY            a key of gpg's: the packages' and the checksums' detached signatures (.asc), and rpm's own
SIGN_PFX                a PKCS#12 file for Authenticode, with its password in the file SIGN_PFX_PASSWORD_FILE
SIGN_TIMESTAMP_URL      where Authenticode's time stamps come from
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools import Release, call, tell

CHECKSUMS = "SHA256SUMS"


def checksums(files: Sequence[Path], out: Path) -> Path:
    """Write what `sha256sum --check` reads."""
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(files))
    file = out / CHECKSUMS
    file.write_text("".join(lines), encoding="ascii")
    return file


def sign_package(package: Path, release: Release, environ: Mapping[str, str] = os.environ) -> None:
    """Inside the package, where its format has a place for it. Raises MissingTool, Failed."""
    if package.suffix == ".msi" and (pfx := environ.get("SIGN_PFX")):
        signed = package.with_suffix(".signed")
        url = environ.get("SIGN_TIMESTAMP_URL")
        password = environ.get("SIGN_PFX_PASSWORD_FILE")
        call(
            ["osslsigncode", "sign", "-pkcs12", pfx, *(["-readpass", password] if password else []),
             "-n", "Drawbridge", "-h", "sha256", *(["-ts", url] if url else []),
             "-in", package, "-out", signed],
            release,
        )  # fmt: skip
        signed.replace(package)
        tell(f"signed {package.name}")
    elif package.suffix == ".rpm" and (key := environ.get("SIGN_GPG_KEY")):
        call(["rpmsign", "--define", f"_gpg_name {key}", "--addsign", package], release)
        tell(f"signed {package.name}")


def sign_detached(file: Path, release: Release, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Beside the file; None without a key. Raises MissingTool, Failed."""
    key = environ.get("SIGN_GPG_KEY")
    if not key:
        return None
    signature = file.with_name(f"{file.name}.asc")
    signature.unlink(missing_ok=True)
    call(["gpg", "--batch", "--local-user", key, "--armor", "--detach-sign", "-o", signature, file], release)
    return signature
