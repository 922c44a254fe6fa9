"""The policy in force: read from its files, compiled, replaced as a whole or not at all."""

from __future__ import annotations

from pathlib import Path

from agent.catalog import bundled_surfaces
from agent.dialects import DIALECTS
from agent.errors import PolicyError
from agent.gateway.companion_files import read_companions
from agent.guardrails import bundled_rules
from agent.inspection import RuleBook
from agent.policy import KnownNames, load

MAX_BYTES = 5 * 1024 * 1024


class PolicyFile:
    """Holds the rule book that new exchanges start with."""

    def __init__(self, path: Path) -> None:
        """Reads and compiles the policy at `path`, a file or a directory with a `policy.yaml`. Blocks for tens of
        milliseconds. Raises PolicyError."""
        self.path = path / "policy.yaml" if path.is_dir() else path
        self.rules = read_rules(self.path)

    def reload(self) -> RuleBook:
        """Read the file, and those that it names, again. Only when all are good do they replace what is in force.
        Raises PolicyError."""
        self.rules = read_rules(self.path)
        return self.rules


def read_rules(path: Path) -> RuleBook:
    """The compiled policy of a file, with the files it names. Blocks. Raises PolicyError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PolicyError(
            f"cannot read the policy {path}: {error.strerror}", hint="check the path"
        ) from error
    if len(data) > MAX_BYTES:
        raise PolicyError(f"the policy {path} is larger than {MAX_BYTES // 2**20} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PolicyError(
            f"the policy {path} is not UTF-8 (byte {error.start})", hint="save it as UTF-8"
        ) from error
    policy = load(text, source=str(path), known=known_names())
    return RuleBook(policy, read_companions(policy, path.parent))


def known_names() -> KnownNames:
    """The names a policy may refer to: our dialects, what our detectors find, the surfaces of the catalog."""
    return KnownNames(
        dialects=frozenset(DIALECTS),
        types=frozenset(f"{rule.family.value}/{rule.type}" for rule in bundled_rules()),
        surfaces=frozenset(surface.id for surface in bundled_surfaces()),
    )
