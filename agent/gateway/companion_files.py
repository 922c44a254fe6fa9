"""The files that go with a policy, read from beside it: packs, what packs extend, fingerprints, a catalog, and keys by
reference.

Owns reading, its limits and its errors; what the files mean is `inspection.companions`' matter. Everything blocks.
"""

from __future__ import annotations

from pathlib import Path

from agent.errors import ConfigError, HostError, PolicyError
from agent.guardrails.fingerprint_file import MAX_BYTES as MAX_FINGERPRINTS
from agent.guardrails.gitleaks import MAX_EXTENSIONS
from agent.guardrails.gitleaks_file import MAX_PACK
from agent.host.files import read_limited
from agent.host.secrets import read_secret
from agent.inspection.catalogs import MAX_CATALOG
from agent.inspection.companions import Companions, extension
from agent.policy import PackFormat, Policy

_BYTES_PER_CHARACTER = 4
MAX_TOGETHER = 128 * 1024 * 1024
"""Bytes of all files of one policy."""


def read_companions(policy: Policy, folder: Path) -> Companions:
    """The files that `policy`, which lies in `folder`, names, and those that they extend. Raises PolicyError."""
    files: dict[str, bytes] = {}
    for pack in policy.packs:
        files[pack.file] = _read(folder, pack.file, MAX_PACK * _BYTES_PER_CHARACTER)
        if pack.format is PackFormat.GITLEAKS:
            _read_extensions(folder, pack.file, files)
    if policy.catalog_file is not None:
        files[policy.catalog_file] = _read(folder, policy.catalog_file, MAX_CATALOG)
    keys: dict[str, bytes] = {}
    for detector in policy.detectors:
        if detector.fingerprints is not None:
            files[detector.fingerprints] = _read(folder, detector.fingerprints, MAX_FINGERPRINTS)
            if detector.key is not None:
                keys[detector.id] = _key(detector.id, detector.key)
    if sum(map(len, files.values())) > MAX_TOGETHER:
        raise PolicyError(f"the files of the policy are larger than {MAX_TOGETHER // 2**20} MB together")
    return Companions(files=files, keys=keys)


def _read_extensions(folder: Path, name: str, files: dict[str, bytes]) -> None:
    for _ in range(MAX_EXTENSIONS):
        following = extension(name, Companions(files=files).text(name))
        if following is None:
            return
        name = following
        files[name] = _read(folder, name, MAX_PACK * _BYTES_PER_CHARACTER)


def _read(folder: Path, name: str, limit: int) -> bytes:
    path = folder / name
    try:
        data = read_limited(path, limit=limit)
    except HostError as error:
        raise PolicyError(f"cannot read a file of the policy: {error}", hint=error.hint()) from error
    if data is None:
        raise PolicyError(
            f"the policy names {name}, and there is no such file: {path}",
            hint="Paths are relative to the policy's folder.",
        )
    return data


def _key(detector: str, reference: str) -> bytes:
    try:
        return read_secret(reference).encode()
    except (ConfigError, HostError) as error:
        raise PolicyError(
            f"detector {detector}: the key cannot be read: {error}", hint=error.hint()
        ) from error
