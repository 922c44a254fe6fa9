"""From a policy's text to the policy, or an error that names every mistake with its line. All or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Union, get_args, get_origin

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agent.errors import PolicyError
from agent.policy.cross_checks import KnownNames, cross_check
from agent.policy.document import Policy
from agent.policy.section import Section
from agent.policy.sidecar import Sidecar
from agent.policy.source import Location, Problem, Source, Tree, dotted, read, shown_key

_MAX_REPORTED = 20
_TAG_ERRORS = ("union_tag_not_found", "union_tag_invalid")
_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "model_type": "a mapping (key: value)",
    "dict_type": "a mapping (key: value)",
}


def load(text: str, *, source: str, known: KnownNames | None = None) -> Policy:
    """The policy that `text` (YAML) describes.

    `source` names the file in errors; `known` holds the names of other rooms to check references against.
    Raises PolicyError with one line per mistake: `file:line: key: what is wrong`. Values of keys that may be
    secret are never repeated.
    """
    document = read(text)
    problems = list(document.problems)
    policy: Policy | None = None
    if not problems and document.tree is None:
        problems.append(Problem(location=(), text="the file is empty: schema_version and id are required"))
    elif not problems:
        policy, problems = _validate(document, Policy)
        problems += cross_check(document, known or KnownNames())
    if problems or policy is None:
        raise _error(document, problems, source)
    return policy


def load_sidecar(text: str, *, source: str) -> Sidecar:
    """The examples that `text` (YAML) holds. Raises PolicyError as `load` does."""
    document = read(text)
    problems = list(document.problems)
    sidecar: Sidecar | None = None
    if not problems:
        sidecar, problems = _validate(document, Sidecar)
    if problems or sidecar is None:
        raise _error(document, problems, source)
    return sidecar


def located(text: str, problems: Iterable[Problem], *, source: str) -> PolicyError:
    """The error that names problems found in a policy after it was loaded, with the lines of its `text`."""
    return _error(read(text), list(problems), source)


def _validate[T: Section](document: Source, root: type[T]) -> tuple[T | None, list[Problem]]:
    try:
        return root.model_validate_json(orjson.dumps(document.tree)), []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        return None, [problem for each in details if (problem := _problem(document, each, root)) is not None]


def _error(document: Source, problems: list[Problem], source: str) -> PolicyError:
    def line(problem: Problem) -> int:
        return problem.line if problem.line is not None else document.line(problem.location)

    ordered = sorted(problems, key=line)
    lines = [
        f"{source}:{line(each)}: {f'{dotted(each.location)}: ' if each.location else ''}{each.text}"
        for each in ordered[:_MAX_REPORTED]
    ]
    if len(ordered) > _MAX_REPORTED:
        lines.append(f"{source}: and {len(ordered) - _MAX_REPORTED} more")
    return PolicyError("\n".join(lines), hint="Correct these lines and check the file again.")


def _problem(document: Source, details: ErrorDetails, root: type[Section]) -> Problem | None:
    tagged: Location = details["loc"]
    location = _in_document(tagged)
    value = _value_at(document.tree, location)
    if details["type"] == "too_short" and value:
        return None  # its items are wrong, and reported themselves
    if details["type"] in _TAG_ERRORS:
        location = (*location, "kind")
    return Problem(location=location, text=_text(details, tagged, value, root))


def _in_document(tagged: Location) -> Location:
    """The place in the document: pydantic also names the kind of an item, and says where a key itself is wrong."""
    if tagged[:1] == ("checks",) and len(tagged) > 2:
        return (*tagged[:2], *tagged[3:])
    return tagged[:-1] if tagged[-1:] == ("[key]",) else tagged  # a mapping's key is wrong, not its value


def _text(details: ErrorDetails, location: Location, value: Tree, root: type[Section]) -> str:
    context = details.get("ctx", {})
    match details["type"]:
        case "extra_forbidden":
            return _unknown_key(location, root)
        case "missing" | "union_tag_not_found":
            return "this key is required"
        case "union_tag_invalid":
            return f"must be one of: {str(context['expected_tags']).replace("'", '')}"
        case "value_error":
            return str(context["error"])
        case "enum" | "literal_error":
            expected = str(context["expected"]).replace("'", "").replace(" or ", ", ")
            return f"must be {expected}" if "," not in expected else f"must be one of: {expected}"
        case wrong if wrong in _WANTED:
            return _wrong_type(_WANTED[wrong], value)
        case _:
            subject, should, rest = details["msg"].partition(" should ")
            return f"must {rest.removesuffix(' after validation, not 0')}" if should else subject


def _wrong_type(wanted: str, value: Tree) -> str:
    text = f"must be {wanted}, not {_kind(value)}"
    if wanted == "text" and isinstance(value, bool | int | float):
        return f"{text}: write it in quotes"
    if wanted == "a list":
        return f"{text}: write [] or remove the key" if value is None else f"{text}: write [ ] around it"
    return text


def _unknown_key(location: Location, root: type[Section]) -> str:
    allowed = _keys_at(location[:-1], root)
    close = get_close_matches(str(location[-1])[:64], allowed, n=1)
    guess = f": did you mean '{close[0]}'?" if close else ""
    return f"unknown key '{shown_key(str(location[-1]))}'{guess} (allowed: {', '.join(allowed)})"


def _keys_at(location: Location, root: type[Section]) -> tuple[str, ...]:
    """The keys of the section at `location`."""
    section: object = root
    for step in location:
        if isinstance(step, int):
            section = get_args(section)[0]
        elif get_origin(section) is dict:
            section = get_args(section)[1]
        elif (kinds := _kinds(section)) and isinstance(step, str):
            section = kinds[step]
        elif isinstance(section, type) and issubclass(section, BaseModel):
            section = section.model_fields[step].annotation
        section = section if _kinds(section) else _unwrapped(section)
    return tuple(section.model_fields) if isinstance(section, type) and issubclass(section, BaseModel) else ()


def _kinds(annotation: object) -> dict[str, type[BaseModel]]:
    """The sections that `annotation` is a choice of, by their `kind`; none where it is no such choice."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    members = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
    return {
        get_args(each.model_fields["kind"].annotation)[0]: each
        for each in members
        if isinstance(each, type) and issubclass(each, BaseModel) and "kind" in each.model_fields
    }


def _unwrapped(annotation: object) -> object:
    """`annotation` without Annotated and without `| None`, in whichever order they stand."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        return _unwrapped(next(each for each in get_args(annotation) if each is not NoneType))
    return annotation


def _value_at(tree: Tree, location: Location) -> Tree:
    for step in location:
        match tree, step:
            case dict(), str():
                tree = tree.get(step)
            case list(), int() if step < len(tree):
                tree = tree[step]
            case _:
                return None
    return tree


def _kind(value: Tree) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int():
            return "a number"
        case float():
            return "a decimal number"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "a mapping"
