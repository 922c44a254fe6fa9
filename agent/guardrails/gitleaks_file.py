"""A gitleaks configuration as values: what the file says, before anything is made of it.

Owns the file format: TOML, keys in any case (gitleaks reads them so), old and new forms of allowlists. Values of the
wrong type are errors; unknown keys are kept by name, because gitleaks ignores them and somebody must be told.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from agent.errors import PolicyError
from agent.guardrails.allowlist import Target
from agent.guardrails.notes import EVERY_RULE

MAX_PACK = 4 * 1024 * 1024
"""Characters of one file."""

_PACK_KEYS = frozenset({"title", "description", "minversion", "extend", "rules", "allowlist", "allowlists"})
_EXTEND_KEYS = frozenset({"path", "url", "usedefault", "disabledrules"})
_RULE_KEYS = frozenset(
    {
        "id", "description", "regex", "path", "entropy", "secretgroup", "keywords", "tags", "allowlist", "allowlists",
        "required", "skipreport",
    }
)  # fmt: skip
_ALLOWLIST_KEYS = frozenset(
    {"description", "condition", "commits", "paths", "regextarget", "regexes", "stopwords", "targetrules"}
)
_ALL, _ANY = ("AND", "&&"), ("", "OR", "||")

type _Table = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignAllowlist:
    """An allowlist; `targets` are the rules that a global one is meant for, none for all."""

    regexes: tuple[str, ...] = ()
    stopwords: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()
    target: Target = Target.SECRET
    every: bool = False
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignRule:
    """A rule. `group` 0: none was named."""

    id: str
    regex: str = ""
    path: str = ""
    entropy: float = 0.0
    group: int = 0
    keywords: tuple[str, ...] = ()
    allowlists: tuple[ForeignAllowlist, ...] = ()
    required: bool = False
    skip: bool = False

    def amending(self, base: ForeignRule) -> ForeignRule:
        """`base` with what this rule says otherwise; lists are joined, as in gitleaks."""
        return replace(
            base,
            regex=self.regex or base.regex,
            path=self.path or base.path,
            entropy=self.entropy or base.entropy,
            group=self.group or base.group,
            keywords=base.keywords + self.keywords,
            allowlists=base.allowlists + self.allowlists,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignPack:
    """A file: its rules by id, its global allowlists, and what it extends."""

    rules: Mapping[str, ForeignRule]
    allowlists: tuple[ForeignAllowlist, ...] = ()
    for_some: tuple[ForeignAllowlist, ...] = ()  # global ones that name their rules
    extends: str = ""
    use_default: bool = False
    disabled: tuple[str, ...] = ()
    remarks: tuple[tuple[str, str, str], ...] = ()  # rule, key and what became of it

    def amending(self, base: ForeignPack) -> ForeignPack:
        """This pack upon `base`, without the rules of it that it disables."""
        rules = {rule_id: rule for rule_id, rule in base.rules.items() if rule_id not in self.disabled}
        for rule_id, rule in self.rules.items():
            rules[rule_id] = rule.amending(rules[rule_id]) if rule_id in rules else rule
        return replace(
            self,
            rules=rules,
            allowlists=self.allowlists + base.allowlists,
            for_some=self.for_some + base.for_some,
            use_default=self.use_default or base.use_default,
        )

    def targeted(self, rule: str) -> tuple[ForeignAllowlist, ...]:
        """The global allowlists that name this rule."""
        return tuple(each for each in self.for_some if rule in each.targets)


def read_pack(text: str, *, name: str) -> ForeignPack:
    """The configuration in `text`. Raises PolicyError, naming file and rule, where it is malformed."""
    if len(text) > MAX_PACK:
        raise PolicyError(f"{name}: larger than {MAX_PACK} characters")
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{name}: not valid TOML: {error}") from error
    return _Reader(name).pack(content)


class _Reader:
    """Reads tables, and collects what in them means nothing."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._remarks: list[tuple[str, str, str]] = []

    def pack(self, content: object) -> ForeignPack:
        table = self._table(content, self._name, _PACK_KEYS, EVERY_RULE)
        extend = self._table(table.get("extend", {}), f"{self._name}: extend", _EXTEND_KEYS, EVERY_RULE)
        extends, use_default = _text(extend, "path", self._name), _flag(extend, "usedefault", self._name)
        if extends and use_default:
            raise PolicyError(f"{self._name}: extend.path and extend.useDefault exclude each other")
        allowlists = self._allowlists(table, self._name, EVERY_RULE)
        return ForeignPack(
            rules=self._rules(table),
            allowlists=tuple(each for each in allowlists if not each.targets),
            for_some=tuple(each for each in allowlists if each.targets),
            extends=extends,
            use_default=use_default,
            disabled=_strings(extend, "disabledrules", self._name),
            remarks=tuple(self._remarks),
        )

    def _rules(self, table: _Table) -> dict[str, ForeignRule]:
        rules: dict[str, ForeignRule] = {}
        for place, each in enumerate(_list(table, "rules", self._name), start=1):
            rule = self._rule(each, f"{self._name}: rule {place}")
            if rule.id in rules:
                self._remarks.append(
                    (rule.id, "id", "several rules have this id: the last one holds, as in gitleaks")
                )
            rules[rule.id] = rule
        return rules

    def _rule(self, content: object, where: str) -> ForeignRule:
        rule_id = _text(_lower(content, where), "id", where)
        if not rule_id:
            raise PolicyError(f"{where}: an id is needed")
        where = f"{where} ({rule_id})"
        table = self._table(content, where, _RULE_KEYS, rule_id)
        return ForeignRule(
            id=rule_id,
            regex=_text(table, "regex", where),
            path=_text(table, "path", where),
            entropy=_entropy(table, where),
            group=_group(table, where),
            keywords=_strings(table, "keywords", where),
            allowlists=self._allowlists(table, where, rule_id),
            required=bool(_list(table, "required", where)),
            skip=_flag(table, "skipreport", where),
        )

    def _allowlists(self, table: _Table, where: str, rule: str) -> tuple[ForeignAllowlist, ...]:
        several, old = _list(table, "allowlists", where), table.get("allowlist")
        if several and old is not None:
            raise PolicyError(f"{where}: allowlist is the old form of allowlists: use one of them")
        return tuple(
            self._allowlist(each, f"{where}, allowlist", rule) for each in (several if old is None else [old])
        )

    def _allowlist(self, content: object, where: str, rule: str) -> ForeignAllowlist:
        table = self._table(content, where, _ALLOWLIST_KEYS, rule)
        condition = _text(table, "condition", where).upper()
        if condition not in _ALL + _ANY:
            raise PolicyError(f"{where}: condition must be AND or OR")
        target = _text(table, "regextarget", where) or Target.SECRET.value
        if target not in list(Target):
            raise PolicyError(f"{where}: regexTarget must be one of: {', '.join(Target)}")
        return ForeignAllowlist(
            regexes=_strings(table, "regexes", where),
            stopwords=_strings(table, "stopwords", where),
            paths=_strings(table, "paths", where),
            commits=_strings(table, "commits", where),
            target=Target(target),
            every=condition in _ALL,
            targets=_strings(table, "targetrules", where),
        )

    def _table(self, content: object, where: str, keys: frozenset[str], rule: str) -> _Table:
        table = _lower(content, where)
        self._remarks.extend(
            (rule, key, "this key is not known, here as in gitleaks, and is ignored")
            for key in table
            if key not in keys
        )
        return table


def _lower(content: object, where: str) -> _Table:
    if not isinstance(content, dict):
        raise PolicyError(f"{where}: a table is expected")
    return {key.lower(): value for key, value in cast("dict[str, object]", content).items()}


def _text(table: _Table, key: str, where: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise PolicyError(f"{where}: {key} must be a string")
    return value


def _flag(table: _Table, key: str, where: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise PolicyError(f"{where}: {key} must be true or false")
    return value


def _entropy(table: _Table, where: str) -> float:
    value = table.get("entropy", 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 8:
        raise PolicyError(f"{where}: entropy must be a number between 0 and 8")
    return float(value)


def _group(table: _Table, where: str) -> int:
    value = table.get("secretgroup", 0)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise PolicyError(f"{where}: secretGroup must be the number of a group")
    return value


def _list(table: _Table, key: str, where: str) -> list[object]:
    value = table.get(key, [])
    if not isinstance(value, list):
        raise PolicyError(f"{where}: {key} must be a list of tables")
    return value


def _strings(table: _Table, key: str, where: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise PolicyError(f"{where}: {key} must be a list of strings, none of them empty")
    return tuple(cast("list[str]", value))
