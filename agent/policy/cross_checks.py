"""What must hold between the sections of a policy: unique ids, references that lead somewhere, known names.

Works on the raw tree, beside the check of the single values, so that one reading reports everything. A place
of the wrong type is skipped here: it is reported there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from agent.model.provider import Provider
from agent.policy import routes
from agent.policy.account_checks import account_problems
from agent.policy.app_checks import app_problems
from agent.policy.caching import surface_problems
from agent.policy.glob import matches
from agent.policy.providers import check_providers
from agent.policy.source import Problem, Source, Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNames:
    """Names that other rooms define. An empty set is not checked."""

    dialects: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()  # family/type of what the bundled detectors find
    surfaces: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()  # of these, the ones that are off until a policy turns them on
    speaks: frozenset[str] = frozenset()  # what a catalog row may say that it speaks
    providers: Mapping[str, Provider] = field(default_factory=dict)


def cross_check(source: Source, known: KnownNames) -> Iterator[Problem]:
    """Every violation in the document of `source`."""
    tree = source.tree
    if not isinstance(tree, dict):
        return
    # a decision names these rules alike, so they share their ids
    yield from _unique(source, tree, ("access", "attachments", "guardrails"))
    yield from _unique(source, tree, ("detectors",))
    yield from _unique(source, tree, ("packs",))
    yield from _unique(source, tree, ("checks",))
    yield from _unique(source, tree, ("catalog",))
    yield from _unique(source, tree, ("programs",))
    yield from routes.check_ids(source, tree)
    yield from _selectors(tree, known)
    yield from _surfaces(tree, known)
    surfaces = known.surfaces and known.surfaces | _ids(tree, "catalog") | {"unknown"}
    yield from app_problems(tree, surfaces)
    yield from _dialects(tree, known)
    yield from _catalog(tree, known)
    yield from check_providers(tree, known.providers)
    yield from account_problems(source)


def _rules(tree: dict[str, Tree], section: str) -> Iterator[tuple[int, dict[str, Tree]]]:
    rules = tree.get(section)
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        if isinstance(rule, dict):
            yield index, rule


def _texts(rule: dict[str, Tree], key: str) -> Iterator[tuple[int, str]]:
    texts = rule.get(key)
    for index, text in enumerate(texts if isinstance(texts, list) else ()):
        if isinstance(text, str):
            yield index, text


def _ids(tree: dict[str, Tree], section: str) -> frozenset[str]:
    return frozenset(each for _, rule in _rules(tree, section) if isinstance(each := rule.get("id"), str))


def _unique(source: Source, tree: dict[str, Tree], sections: tuple[str, ...]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for section in sections:
        for index, rule in _rules(tree, section):
            name = rule.get("id")
            if not isinstance(name, str):
                continue
            location = (section, index, "id")
            if name in first:
                text = f"'{name}' is already the id of the rule on line {first[name]}: ids must be unique"
                yield Problem(location=location, text=text)
            first.setdefault(name, source.line(location))


def _selectors(tree: dict[str, Tree], known: KnownNames) -> Iterator[Problem]:
    own = {
        "custom": (
            frozenset(f"custom/{name}" for name in _ids(tree, "detectors")),
            "no detector of this policy",
        ),
        "check": (frozenset(f"check/{name}" for name in _ids(tree, "checks")), "no check of this policy"),
    }
    # which types a pack brings is known when its file is read: its family is checked there
    of_packs = [pack.get("family", "secret") for _, pack in _rules(tree, "packs")]
    for index, rule in _rules(tree, "guardrails"):
        for place, selector in _texts(rule, "detect"):
            family, _, kind = selector.partition("/")
            types, what = own.get(family, (known.types, "no known type"))
            if not kind or family in of_packs or (not types and family not in own):
                continue
            if not any(matches(selector, each) for each in types):
                text = f"'{selector}' selects {what}{_guess(selector, types)}"
                yield Problem(location=("guardrails", index, "detect", place), text=text)


def _surfaces(tree: dict[str, Tree], known: KnownNames) -> Iterator[Problem]:
    if not known.surfaces or tree.get("catalog_file") is not None:  # then the file says what there is
        return
    surfaces = known.surfaces | _ids(tree, "catalog") | {"unknown"}
    yield from surface_problems(tree, surfaces)
    for section in ("access", "attachments", "guardrails"):
        for index, rule in _rules(tree, section):
            for place, name in _texts(rule, "surfaces"):
                if name not in surfaces:
                    text = f"'{name}' is no surface of the catalog{_guess(name, surfaces)}"
                    yield Problem(location=(section, index, "surfaces", place), text=text)


def _dialects(tree: dict[str, Tree], known: KnownNames) -> Iterator[Problem]:
    if not known.dialects or tree.get(
        "shapes"
    ):  # files of shapes bring names that are known when they are read
        return
    for index, row in _rules(tree, "catalog"):
        for place, endpoint in _rules(row, "endpoints"):
            name = endpoint.get("dialect")
            if isinstance(name, str) and name not in known.dialects:
                text = f"'{name}' is no dialect: must be one of: {', '.join(sorted(known.dialects))}"
                yield Problem(location=("catalog", index, "endpoints", place, "dialect"), text=text)


def _catalog(tree: dict[str, Tree], known: KnownNames) -> Iterator[Problem]:
    for index, row in _rules(tree, "catalog"):
        for place, name in _texts(row, "speaks"):
            if known.speaks and name not in known.speaks:
                text = f"'{name}' is nothing that a row can speak: must be one of: {', '.join(sorted(known.speaks))}"
                yield Problem(location=("catalog", index, "speaks", place), text=text)
    if not known.surfaces or tree.get("catalog_file") is not None:
        return
    for place, name in _texts(tree, "catalog_without"):
        if name not in known.surfaces:
            text = f"'{name}' is no bundled row of the catalog{_guess(name, known.surfaces)}"
            yield Problem(location=("catalog_without", place), text=text)
    for place, name in _texts(tree, "catalog_with"):
        if name in known.surfaces - known.optional:
            yield Problem(location=("catalog_with", place), text=f"'{name}' is on without being named here")
        elif name not in known.surfaces:
            text = f"'{name}' is no bundled row of the catalog{_guess(name, known.optional)}"
            yield Problem(location=("catalog_with", place), text=text)


def _guess(name: str, names: frozenset[str]) -> str:
    close = get_close_matches(name[:128], sorted(names), n=1)
    return f": did you mean '{close[0]}'?" if close else ""
