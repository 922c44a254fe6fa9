"""The files that go with a policy, made into rules: packs of patterns, and fingerprints of documents.

Owns what a policy's `packs` section and its fingerprint detectors mean. Pure: whoever reads the policy reads its
files, and resolves the references to keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from agent.errors import PolicyError
from agent.guardrails import LoadedPack, Note, load_gitleaks, load_pack
from agent.guardrails.fingerprint_file import read_index
from agent.guardrails.fingerprints import Index
from agent.guardrails.gitleaks import MAX_EXTENSIONS, extended_path
from agent.guardrails.pack import prefixed, tried
from agent.policy import Detector, Pack, PackFormat, Policy
from agent.policy.fields import check_companion


@dataclass(frozen=True, slots=True, kw_only=True)
class Companions:
    """What goes with a policy. Names are relative to the policy's folder, with `/`."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    keys: Mapping[str, bytes] = field(default_factory=dict)  # the key of a fingerprint detector, by its id

    def file(self, name: str) -> bytes:
        """The content of a file. Raises PolicyError where it was not given."""
        if (data := self.files.get(name)) is None:
            raise PolicyError(f"the file {name}, which the policy names, was not given")
        return data

    def text(self, name: str) -> str:
        """The content of a text file. Raises PolicyError where it is no UTF-8."""
        try:
            return self.file(name).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise PolicyError(f"{name} is not UTF-8 (byte {error.start})", hint="save it as UTF-8") from error

    def digest(self, policy: Policy) -> str:
        """SHA-256 (hex) of the policy with its files: the policy's own where it has none."""
        if not self.files:
            return policy.digest
        whole = hashlib.sha256(policy.digest.encode())
        for name, data in sorted(self.files.items()):
            whole.update(f"\n{name}\n{hashlib.sha256(data).hexdigest()}".encode())
        return whole.hexdigest()


def extension(name: str, text: str) -> str | None:
    """The file that a gitleaks configuration of this name extends, or None. Raises PolicyError."""
    path = extended_path(text, name=name)
    if not path:
        return None
    try:
        return check_companion(
            (PurePosixPath(name).parent / check_companion(path.removeprefix("./"))).as_posix()
        )
    except ValueError as error:
        raise PolicyError(
            f"{name}: extend.path {error}", hint="Put the file beside the one that extends it."
        ) from error


def load_packs(policy: Policy, companions: Companions) -> LoadedPack:
    """The rules of all packs of a policy. Raises PolicyError, naming file and rule."""
    packs = [_load(pack, companions) for pack in policy.packs]
    return LoadedPack(
        rules=tuple(rule for pack in packs for rule in pack.rules),
        notes=tuple(note for pack in packs for note in pack.notes),
    )


def load_fingerprints(policy: Policy, companions: Companions) -> dict[str, Index]:
    """The document sets of a policy's fingerprint detectors, by detector. Raises PolicyError."""
    return {
        detector.id: _index(detector, detector.fingerprints, companions)
        for detector in policy.detectors
        if detector.fingerprints is not None
    }


def notes(policy: Policy, pack: LoadedPack) -> tuple[Note, ...]:
    """What an author should know about a policy's own detectors: what does less than it says."""
    return pack.notes + tuple(
        Note(
            pack=detector.fingerprints,
            rule=detector.id,
            key="fingerprints",
            text="they judge prompts, tool results and whole answers, not answers while they stream",
        )
        for detector in policy.detectors
        if detector.fingerprints is not None
    )


def _load(pack: Pack, companions: Companions) -> LoadedPack:
    text, prefix = companions.text(pack.file), f"{pack.id}/"
    match pack.format:
        case PackFormat.DRAWBRIDGE:
            rules = load_pack(text, pack.family, name=pack.file)
            tried(rules, name=pack.file)
            return LoadedPack(rules=prefixed(rules, prefix))
        case PackFormat.GITLEAKS:
            extensions = tuple(_extensions(pack.file, text, companions))
            return load_gitleaks(text, pack.family, name=pack.file, prefix=prefix, extensions=extensions)


def _extensions(name: str, text: str, companions: Companions) -> Iterator[tuple[str, str]]:
    for _ in range(MAX_EXTENSIONS):
        following = extension(name, text)
        if following is None:
            return
        name, text = following, companions.text(following)
        yield name, text


def _index(detector: Detector, file: str, companions: Companions) -> Index:
    return read_index(
        companions.file(file),
        name=file,
        secret=companions.keys.get(detector.id, b""),
        min_match=detector.min_match,
        min_shingles=detector.min_shingles,
    )
