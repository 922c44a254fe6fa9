"""What must hold between `apps` and the rest of a policy. Works on the raw tree, like `cross_checks`."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from agent.policy.source import Location, Problem, Tree


def app_rules(tree: dict[str, Tree]) -> Iterator[tuple[int, dict[str, Tree]]]:
    """The rules of `apps` with their numbers."""
    apps = tree.get("apps")
    rules = apps.get("rules") if isinstance(apps, dict) else None
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        if isinstance(rule, dict):
            yield index, rule


def app_problems(tree: dict[str, Tree], surfaces: frozenset[str]) -> Iterator[Problem]:
    """Surfaces that nobody knows (an empty set is not checked), ways that lead nowhere, ids that are used twice."""
    yield from _names(tree)
    yield from _ways(tree)
    for index, rule in app_rules(tree) if surfaces else ():
        named = rule.get("surfaces")
        for place, name in enumerate(named if isinstance(named, list) else ()):
            if isinstance(name, str) and name not in surfaces:
                close = get_close_matches(name[:128], sorted(surfaces), n=1)
                guess = f": did you mean '{close[0]}'?" if close else ""
                yield Problem(
                    location=("apps", "rules", index, "surfaces", place),
                    text=f"'{name}' is no surface of the catalog{guess}",
                )


def _names(tree: dict[str, Tree]) -> Iterator[Problem]:
    """A decision names rules of these sections alike, so they share their ids."""
    taken: set[str] = set()
    for section in ("access", "guardrails"):
        rules = tree.get(section)
        for rule in rules if isinstance(rules, list) else ():
            if isinstance(rule, dict) and isinstance(name := rule.get("id"), str):
                taken.add(name)
    for index, rule in app_rules(tree):
        name = rule.get("id")
        if not isinstance(name, str):
            continue
        if name in taken:
            text = f"'{name}' is already the id of another rule: ids must be unique"
            yield Problem(location=("apps", "rules", index, "id"), text=text)
        taken.add(name)


def _ways(tree: dict[str, Tree]) -> Iterator[Problem]:
    apps, upstream = tree.get("apps"), tree.get("upstream")
    central = isinstance(upstream, dict) and upstream.get("central") is not None
    places: list[tuple[Location, Tree]] = []
    if isinstance(apps, dict):
        places.append((("apps", "routing"), apps.get("routing")))
    places += [(("apps", "rules", index, "routing"), rule.get("routing")) for index, rule in app_rules(tree)]
    for location, way in places:
        if way == "central" and not central:
            yield Problem(
                location=location, text="needs 'upstream.central', which says where that gateway is"
            )
        if way == "gateway" and not tree.get("providers"):
            yield Problem(location=location, text="needs 'providers', which say who serves the requests")
