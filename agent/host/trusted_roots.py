"""Which roots programs are to trust now, by what stands on the disk. Blocks; needs no key."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509

from agent.errors import HostError
from agent.host.device_root import rotation
from agent.host.files import read_limited, write_atomically
from agent.host.pairs import FILE_LIMIT, load_certificate, load_certificates, pem_text
from agent.host.paths import StatePaths


def trusted_roots(paths: StatePaths, now: datetime) -> tuple[x509.Certificate, ...]:
    """The root in use first; beside it one that is to come, or that was before, while both are to be trusted. None on a
    device without an authority. Raises HostError."""
    if paths.company_certificate.exists():
        chain = load_certificates(paths.company_chain)
        return chain[-1:]
    root = load_certificate(paths.root_certificate)
    if root is None:
        return ()
    other = rotation(paths, now).other
    return (root,) if other is None else (root, other)


def publish_roots(paths: StatePaths, roots: tuple[x509.Certificate, ...]) -> bool:
    """Put `roots` into the one file that `drawbridge exec` names to programs; whether it had to be written. Raises
    HostError."""
    text = b"".join(map(pem_text, dict.fromkeys(roots)))
    if not roots or read_limited(paths.roots, limit=FILE_LIMIT) == text:
        return False
    write_atomically(paths.roots, text)
    return True


def readable_roots(paths: StatePaths, public: bytes | None, now: datetime) -> tuple[x509.Certificate, ...]:
    """As `trusted_roots`; for an account that may not read the agent's files, those of `public`, the text of the file
    for everybody. Raises HostError."""
    try:
        if found := trusted_roots(paths, now):
            return found
    except (HostError, PermissionError):
        if public is None:
            raise
    try:
        return tuple(x509.load_pem_x509_certificates(public)) if public else ()
    except ValueError as error:
        raise HostError("the file with the roots for everybody holds no certificates") from error
