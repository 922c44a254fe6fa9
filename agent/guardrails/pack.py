"""Rule packs: TOML in gitleaks' rule format, read strictly. The packs that ship with the agent stand in `rules/`.

Owns the file format: gitleaks' keys, `type` and `validator` of a rule, and a table `fragments` of named parts of
patterns, for which `{{name}}` stands in a regex. A key that is not known is an error, never silently ignored: what a
pack asks for and this engine does not do (paths, commits, line targets, AND conditions) must not look as if it were
done.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import cast

from agent.errors import PolicyError
from agent.guardrails.detector import Compiled, Detector
from agent.guardrails.rule import FIRST_GROUP, Rule
from agent.guardrails.ruleset import Limits
from agent.model.findings import Family

_BUNDLED = (
    ("secrets_ai.toml", Family.SECRET),
    ("secrets_cloud.toml", Family.SECRET),
    ("secrets_code.toml", Family.SECRET),
    ("secrets_work.toml", Family.SECRET),
    ("secrets_business.toml", Family.SECRET),
    ("secrets_operations.toml", Family.SECRET),
    ("secrets_generic.toml", Family.SECRET),
    ("national_ids.toml", Family.PII),
    ("pii.toml", Family.PII),
    ("injection.toml", Family.INJECTION),
    ("labels.toml", Family.LABEL),
)
"""Order matters: of two findings of one length the rule that stands first wins. Vendors' forms stand before generic
ones, numbers with check digits before telephones."""
MAX_RULES = 5_000
"""Rules of one pack."""
MAX_COST = 20_000
"""RE2 instructions of one pattern of a pack."""

_PACK_KEYS = frozenset({"title", "minVersion", "fragments", "rules"})
_RULE_KEYS = frozenset(
    {
        "id", "description", "regex", "keywords", "entropy", "secretGroup", "tags", "allowlists", "type", "validator",
        "labels", "confidence",
    }
)  # fmt: skip
_ALLOWLIST_KEYS = frozenset({"description", "regexes", "stopwords", "regexTarget", "condition"})
_MAX_PACK = 4 * 1024 * 1024

type _Table = Mapping[str, object]


@cache
def bundled_rules() -> tuple[Rule, ...]:
    """The rules of the packs that ship with the agent: secrets, personal data, injection, markings, in this order.

    Read once in a process: the files do not change, and every policy asks for them several times (60 ms each)."""
    folder = resources.files("agent.guardrails").joinpath("rules")
    rules: list[Rule] = []
    for name, family in _BUNDLED:
        rules.extend(load_pack(folder.joinpath(name).read_text(encoding="utf-8"), family, name=name))
    return tuple(replace(rule, tested=True) for rule in rules)


def load_pack(text: str, family: Family, *, name: str = "pack") -> tuple[Rule, ...]:
    """The rules of a pack, in order. `name` is the file, for messages.

    `type` defaults to the id with `_` for `-`. Without `secretGroup` the finding is the first group that took part,
    else the whole match, as in gitleaks. With `labels` one of them must stand before what `regex` matches (`context`).
    Patterns are compiled by the scanner, not here.
    Raises PolicyError, naming file and rule, for malformed TOML, unknown keys and values of the wrong type.
    """
    if len(text) > _MAX_PACK:
        raise PolicyError(f"{name}: larger than {_MAX_PACK} characters")
    try:
        pack = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{name}: not valid TOML: {error}") from error
    _known(pack, _PACK_KEYS, name)
    tables = pack.get("rules", [])
    if not isinstance(tables, list):
        raise PolicyError(f"{name}: rules must be a list of tables")
    fragments = _fragments(pack, name)
    return tuple(
        _rule(table, family, fragments, f"{name}: rule {place}")
        for place, table in enumerate(tables, start=1)
    )


def tried(rules: Sequence[Rule], *, name: str) -> None:
    """Compile every rule of a pack, also those that no guardrail uses yet: a bad one is found when it is written.

    Raises PolicyError, naming file and rule.
    """
    if len(rules) > MAX_RULES:
        raise PolicyError(f"{name}: {len(rules)} rules are too many for one pack: at most {MAX_RULES}")
    limits, shared = Limits(), Compiled()
    for index, rule in enumerate(rules):
        try:
            Detector(rule, index, memory=limits.rule_memory, max_cost=MAX_COST, shared=shared)
        except PolicyError as error:
            raise PolicyError(f"{name}: {error}", hint=error.hint()) from error


def prefixed(rules: Iterable[Rule], prefix: str) -> tuple[Rule, ...]:
    """The rules under the name of their pack: two packs may have a rule of the same id."""
    return tuple(replace(rule, id=prefix + rule.id) for rule in rules)


def _fragments(pack: _Table, where: str) -> Mapping[str, str]:
    """What `{{name}}` stands for. A fragment may use those that stand before it."""
    fragments: dict[str, str] = {}
    table = _table(pack.get("fragments", {}), f"{where}, fragments")
    for name in table:
        text = _text(table, name, f"{where}, fragments")
        fragments[name] = _expanded(text, fragments, f"{where}, fragment {name}", strict=True)
    return fragments


def _expanded(pattern: str, fragments: Mapping[str, str], where: str, *, strict: bool = False) -> str:
    """`pattern` with fragments in their places. In packs without fragments two braces are two braces."""
    for name, fragment in fragments.items():
        pattern = pattern.replace(f"{{{{{name}}}}}", fragment)
    if (strict or fragments) and "{{" in pattern:
        raise PolicyError(
            f"{where}: the pattern uses a fragment that the pack does not define",
            hint=r"Write \{\{ where two braces are meant.",
        )
    return pattern


def _rule(table: object, family: Family, fragments: Mapping[str, str], where: str) -> Rule:
    table = _table(table, where)
    rule_id = _text(table, "id", where)
    if not rule_id:
        raise PolicyError(f"{where}: an id is needed")
    where = f"{where} ({rule_id})"
    _known(table, _RULE_KEYS, where)
    _strings(table, "tags", where)
    pattern = _text(table, "regex", where)
    if not pattern:
        raise PolicyError(f"{where}: a regex is needed")
    pattern = _expanded(pattern, fragments, where)
    allow, stopwords = _allowlists(table, where)
    return Rule(
        id=rule_id,
        family=family,
        type=_text(table, "type", where) or rule_id.replace("-", "_"),
        pattern=pattern,
        keywords=_strings(table, "keywords", where),
        labels=_strings(table, "labels", where),
        group=_group(table, where),
        entropy=_number(table, "entropy", where),
        validator=_text(table, "validator", where),
        allow=allow,
        stopwords=stopwords,
        description=_text(table, "description", where),
        confidence=_confidence(table, where),
    )


def _allowlists(table: _Table, where: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    lists = table.get("allowlists", [])
    if not isinstance(lists, list):
        raise PolicyError(f"{where}: allowlists must be a list of tables")
    regexes: list[str] = []
    stopwords: list[str] = []
    for entry in lists:
        allowlist = _table(entry, where)
        _known(allowlist, _ALLOWLIST_KEYS, f"{where}, allowlist")
        if _text(allowlist, "regexTarget", where) not in ("", "secret"):
            raise PolicyError(
                f"{where}: an allowlist can only look at the secret, not at the match or the line"
            )
        if _text(allowlist, "condition", where) not in ("", "OR"):
            raise PolicyError(f"{where}: the conditions of an allowlist can only be joined by OR")
        regexes.extend(_strings(allowlist, "regexes", where))
        stopwords.extend(_strings(allowlist, "stopwords", where))
    return tuple(regexes), tuple(stopwords)


def _confidence(table: _Table, where: str) -> float:
    value = table.get("confidence", 1.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise PolicyError(f"{where}: confidence must be a number above 0 and at most 1")
    return float(value)


def _group(table: _Table, where: str) -> int:
    group = table.get("secretGroup", FIRST_GROUP)
    if not isinstance(group, int) or isinstance(group, bool) or group < FIRST_GROUP:
        raise PolicyError(f"{where}: secretGroup must be the number of a group")
    return group


def _known(table: Iterable[str], keys: frozenset[str], where: str) -> None:
    unknown = sorted(set(table) - keys)
    if unknown:
        raise PolicyError(
            f"{where}: unknown key {', '.join(unknown)}", hint=f"Known keys are {', '.join(sorted(keys))}."
        )


def _table(value: object, where: str) -> _Table:
    if not isinstance(value, dict):
        raise PolicyError(f"{where}: a table is expected")
    return cast("_Table", value)


def _text(table: _Table, key: str, where: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise PolicyError(f"{where}: {key} must be a string")
    return value


def _number(table: _Table, key: str, where: str) -> float:
    value = table.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 8:
        raise PolicyError(f"{where}: {key} must be a number between 0 and 8")
    return float(value)


def _strings(table: _Table, key: str, where: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise PolicyError(f"{where}: {key} must be a list of strings, none of them empty")
    return tuple(cast("list[str]", value))
