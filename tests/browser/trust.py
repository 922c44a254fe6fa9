"""A trust store for the browser: an NSS database of its own with the roots it is to trust.

Chromium on Linux reads `$HOME/.pki/nssdb`. The database is written by the very library, so no tool of NSS is needed.
Runs in a process of its own (`python -m tests.browser.trust DIRECTORY ROOT…`): NSS is initialised once per process.
"""

from __future__ import annotations

import base64
import ctypes
import ctypes.util
import subprocess
import sys
from pathlib import Path

_CA_TRUST = b"C,,"  # a root that may vouch for servers


def library() -> str | None:
    """The name of the NSS library, None where there is none."""
    return ctypes.util.find_library("nss3")


def trust(home: Path, *roots: Path) -> None:
    """Make a database below that home directory that holds these roots (PEM)."""
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    command = [sys.executable, "-m", "tests.browser.trust", str(store), *map(str, roots)]
    subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[2], timeout=30)


def _main(store: str, *roots: str) -> None:
    nss, smime = ctypes.CDLL(library()), ctypes.CDLL(ctypes.util.find_library("smime3"))
    for made in (nss.PK11_GetInternalKeySlot, nss.CERT_GetDefaultCertDB, smime.CERT_DecodeCertFromPackage):
        made.restype = ctypes.c_void_p
    _check(nss.NSS_InitReadWrite(f"sql:{store}".encode()) == 0, "open the database")
    slot = ctypes.c_void_p(nss.PK11_GetInternalKeySlot())
    _check(nss.PK11_InitPin(slot, None, b"") == 0, "set an empty password")
    for root in roots:
        body = Path(root).read_text().split("-----")[2]
        der = base64.b64decode(body)
        certificate = ctypes.c_void_p(smime.CERT_DecodeCertFromPackage(der, len(der)))
        _check(bool(certificate), f"read {root}")
        imported = nss.PK11_ImportCert(slot, certificate, ctypes.c_ulong(0), Path(root).stem.encode(), 0)
        _check(imported == 0, f"import {root}")
        flags = (ctypes.c_uint * 3)()
        _check(nss.CERT_DecodeTrustString(flags, _CA_TRUST) == 0, "make the trust")
        database = ctypes.c_void_p(nss.CERT_GetDefaultCertDB())
        _check(nss.CERT_ChangeCertTrust(database, certificate, flags) == 0, f"trust {root}")
    _check(nss.NSS_Shutdown() in (0, -1), "close the database")


def _check(good: bool, what: str) -> None:
    if not good:
        raise SystemExit(f"NSS could not {what}")


if __name__ == "__main__":
    _main(*sys.argv[1:])
