"""The policy in force: read from its files, compiled, replaced as a whole or not at all."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from agent.catalog import bundled_providers, bundled_rows
from agent.dialects import UPLOADS, opaque
from agent.errors import DrawbridgeError, PolicyError
from agent.gateway.companion_files import read_companions
from agent.gateway.unified.routebook import RouteBook
from agent.guardrails import bundled_rules
from agent.host.kept_policy import keep_policy, kept_policy
from agent.inspection import RuleBook
from agent.inspection.examples import ExamplesFailed
from agent.inspection.formats import bundled_dialects
from agent.inspection.policy_rules import model_types
from agent.model.findings import Family
from agent.policy import KnownNames, Policy, load
from agent.policy.loading import load_sidecar, located
from agent.policy.sidecar import Sidecar

log = logging.getLogger(__name__)

MAX_BYTES = 5 * 1024 * 1024

type Acceptance = Callable[[Policy], None]
"""Refuses a policy that cannot be carried out here. Raises DrawbridgeError."""


def anything(policy: Policy) -> None:
    """Accept every policy."""
    del policy


type Consequence = Callable[[RuleBook], None]
"""What must be done before rules come into force. Raises DrawbridgeError where it cannot be, with nothing changed."""


def nothing(rules: RuleBook) -> None:
    """No consequence."""
    del rules


class PolicyFile:
    """Holds the rule book that new exchanges start with."""

    def __init__(self, path: Path, accept: Acceptance = anything, *, kept: Path | None = None) -> None:
        """Reads and compiles the policy at `path`, a file or a directory with a `policy.yaml`. `kept` is where the last
        good one is kept, for a start with a bad one. Blocks for tens of milliseconds. Raises PolicyError, and what
        `accept` does, where no good one is kept either."""
        self._accept = accept
        self._kept = kept
        self.path = _file(path)
        self.problem = ""
        """Why what is in force is the last good policy, not the one at `path`; empty where it is that one."""
        try:
            self.rules = self._read(self.path)
        except DrawbridgeError as error:
            last = self._last_good()
            if last is None:
                raise
            self.rules, self.problem = last, f"{error} {error.hint()}".strip()
            log.error("the policy was refused, the last good one is in force: %s", error)  # noqa: TRY400  said in full
        self.book = RouteBook(self.rules.policy)

    def reload(self, path: Path | None = None, *, also: Consequence = nothing) -> RuleBook:
        """Read the file, and those that it names, again, or another one. Only when all are good, and `also` is carried
        out, do they replace what is in force. Raises PolicyError, and what refuses them."""
        file = self.path if path is None else _file(path)
        rules = self._read(file, also)
        self.book = RouteBook(rules.policy)
        self.path, self.rules = file, rules
        return self.rules

    def _read(self, file: Path, also: Consequence = nothing) -> RuleBook:
        text = _read(file, "policy")
        rules = _compiled(text, file)
        self._accept(rules.policy)
        also(rules)
        if self._kept is not None:
            keep_policy(self._kept, file, text)
        return rules

    def _last_good(self) -> RuleBook | None:
        found = kept_policy(self._kept) if self._kept is not None else None
        if found is None:
            return None
        source, text = found
        try:
            rules = _compiled(text, source)
            self._accept(rules.policy)
        except DrawbridgeError as error:
            log.error("the last good policy is not good any more: %s", error)  # noqa: TRY400  said in full
            return None
        return rules


def read_rules(path: Path, *, examples: bool = True) -> RuleBook:
    """The compiled policy of a file, with the files it names. Blocks. Raises PolicyError, also where one of its own
    examples fails, unless `examples` is False."""
    return _compiled(_read(path, "policy"), path, examples=examples)


def _compiled(text: str, path: Path, *, examples: bool = True) -> RuleBook:
    policy = load(text, source=str(path), known=known_names())
    try:
        return RuleBook(policy, read_companions(policy, path.parent), examples=examples)
    except ExamplesFailed as failed:
        raise located(text, failed.problems, source=str(path)) from failed


def read_policy(path: Path) -> Policy:
    """The policy of a file, or of a directory with a `policy.yaml`, read and checked but not compiled. Blocks. Raises
    PolicyError."""
    path = _file(path)
    return load(_read(path, "policy"), source=str(path), known=known_names())


def read_sidecar(policy: Path) -> Sidecar | None:
    """The examples beside a policy, in `name.examples.yaml`, None where there are none. Blocks. Raises PolicyError."""
    path = policy.with_suffix(".examples.yaml")
    return load_sidecar(_read(path, "file"), source=str(path)) if path.is_file() else None


def _file(path: Path) -> Path:
    return path / "policy.yaml" if path.is_dir() else path


def _read(path: Path, what: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PolicyError(
            f"cannot read the {what} {path}: {error.strerror}", hint="check the path"
        ) from error
    if len(data) > MAX_BYTES:
        raise PolicyError(f"the {what} {path} is larger than {MAX_BYTES // 2**20} MB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PolicyError(
            f"the {what} {path} is not UTF-8 (byte {error.start})", hint="save it as UTF-8"
        ) from error


def known_names() -> KnownNames:
    """The names a policy may refer to: our dialects, what our detectors find, the catalog's surfaces and providers."""
    catalog = bundled_rows()
    return KnownNames(
        dialects=frozenset({*bundled_dialects(), *UPLOADS, opaque.NAME}),
        types=frozenset(f"{rule.family.value}/{rule.type}" for rule in bundled_rules())
        | {f"{Family.INJECTION.value}/{kind}" for kind in model_types()},
        surfaces=frozenset(row.id for row in catalog.surfaces),
        optional=frozenset(row.id for row in catalog.surfaces if row.optional),
        speaks=frozenset(catalog.speaks),
        providers={row.id: row for row in bundled_providers()},
    )
