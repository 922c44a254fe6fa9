"""What the documentation shows can be used: every policy loads, every command line is understood, every link leads
somewhere."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import re2
import yaml
from typer._click.core import Context
from typer._click.exceptions import BadParameter, MissingParameter, NoArgsIsHelpError
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from agent.cli.main import app
from agent.errors import PolicyError
from agent.gateway.unified.routebook import RouteBook
from agent.inspection import RuleBook
from agent.policy import load
from agent.policy.loading import load_sidecar
from agent.supervisor.command import parser as supervisor_options
from agent.tray.command import parser as tray_options

ROOT = Path(__file__).parents[1]
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))
HISTORY = {"CHANGELOG.md"}  # tells what was, too

OTHER_PROGRAMS = {"scrape_configs"}  # YAML of somebody else, by its first key
OPTIONS_OF = {
    "supervise": supervisor_options,
    "tray": tray_options,
}  # they go their own way, see agent.__main__
COMMAND_LINE = re2.compile(r"(?:^|[$|&] *|sudo )drawbridge (.*)")
LINK = re2.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")
PATH = re2.compile(r"`((?:agent|addons|build|docs|installers|policies|requirements|tests)/[^`\s]*)`")


class Block(NamedTuple):
    """A fenced block, or a line outside of all."""

    place: str
    language: str | None
    text: str


@cache
def blocks(page: Path) -> tuple[Block, ...]:
    """What a page is made of."""
    found: list[Block] = []
    name = page.relative_to(ROOT).as_posix()
    language, fenced, begin = "", [""], 0
    inside = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("```") and not inside:
            language, fenced, begin, inside = line[3:].strip(), [], number, True
        elif line.startswith("```"):
            found.append(Block(f"{name}:{begin}", language, "\n".join(fenced) + "\n"))
            inside = False
        elif inside:
            fenced.append(line)
        else:
            found.append(Block(f"{name}:{number}", None, line))
    assert not inside, f"{name}:{begin}: a block that does not end"
    return tuple(found)


def everywhere() -> Iterator[Block]:
    """The blocks of all pages that tell what is."""
    for page in PAGES:
        if page.name not in HISTORY:
            yield from blocks(page)


def ids(found: tuple[Block, ...]) -> list[str]:
    """Their places, as names of tests."""
    return [each.place for each in found]


POLICIES = tuple(each for each in everywhere() if each.language == "yaml")


@pytest.mark.parametrize("shown", POLICIES, ids=ids(POLICIES))
def test_every_policy_that_is_shown_loads(shown: Block) -> None:
    keys = set(yaml.safe_load(shown.text))
    if keys <= OTHER_PROGRAMS:
        return
    if "findings" in keys:
        assert load_sidecar(shown.text, source=shown.place).texts
        return
    head = "" if "schema_version" in keys else "schema_version: 1\nid: shown\n"
    policy = load(head + shown.text, source=shown.place)
    try:
        RuleBook(policy)
    except PolicyError as error:
        if "which the policy names, was not given" not in str(error):  # a file of the reader's own
            raise
    if "providers" in keys:
        assert set(RouteBook(policy).providers) == set(policy.providers)


def command_lines() -> Iterator[tuple[str, str]]:
    """Every call of the program, by its place."""
    for block in everywhere():
        if block.language is None:
            lines = list(re2.findall(r"`([^`]+)`", block.text))
        elif block.language in ("", "sh", "console"):
            lines = block.text.replace("\\\n", " ").splitlines()
        else:
            continue
        for line in lines:
            if (call := COMMAND_LINE.search(line)) is not None:
                for alternative in alternatives(call.group(1)):
                    yield block.place, alternative


def alternatives(words: str) -> Iterator[str]:
    """`audit list · show` means two commands."""
    first, *others = words.split(" · ")
    yield first
    for other in others:
        yield f"{first.split()[0]} {other}"


def without_signs(words: str) -> list[str]:
    """A line's arguments: without what is said about it, redirections, and the brackets of what may be left out."""
    words = re2.split(r"\s#|\s{2,}\S*[a-z]|\s>|\s&&|\s\|", words + " ")[0]
    words = words.replace("NAME …", "x").replace(" …", " x").replace("MINUTES", "1")
    return shlex.split(re2.sub(r"[\[\]…]|\|[a-z|]+", "", words))


CALLS = tuple(dict.fromkeys(command_lines()))


@pytest.mark.parametrize(("place", "words"), CALLS, ids=[f"{place} {words}" for place, words in CALLS])
def test_every_command_line_that_is_shown_is_understood(place: str, words: str) -> None:
    arguments = without_signs(words)
    if (options := OPTIONS_OF.get(arguments[0])) is not None:
        options().parse_args(arguments[1:])
    else:
        understand(program(), arguments)


@cache
def program() -> TyperGroup:
    """The command line."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return group


def understand(
    command: TyperCommand | TyperGroup, arguments: list[str], parent: Context | None = None
) -> None:
    """Parse as the program would, and run nothing. Files that are named need not be there."""
    try:
        context = command.make_context("drawbridge", list(arguments), parent)
    except (NoArgsIsHelpError, MissingParameter):
        if arguments:
            raise
        return  # a mere name
    except BadParameter as error:
        if "does not exist" not in error.message:
            raise
        return
    if isinstance(command, TyperGroup) and (rest := [*context._protected_args, *context.args]):
        _, sub, remaining = command.resolve_command(context, rest)
        understand(sub, remaining, context)


def links() -> Iterator[tuple[str, Path, str]]:
    """Every link to something of this project, with the page that has it."""
    for page in PAGES:
        for block in blocks(page):
            if block.language is None:
                for inline, attribute in LINK.findall(re2.sub(r"`[^`]*`", "", block.text)):
                    target = inline or attribute
                    if "://" not in target and not target.startswith("mailto:"):
                        yield block.place, page, target


@cache
def anchors(page: Path) -> frozenset[str]:
    """The names of a page's headings, as GitHub makes them."""
    headings = (
        each.text.lstrip("#") for each in blocks(page) if each.language is None and each.text.startswith("#")
    )
    return frozenset(
        re2.sub(r"[^\pL\pN _-]", "", each.strip().lower()).replace(" ", "-") for each in headings
    )


LINKS = tuple(links())


@pytest.mark.parametrize(
    ("place", "page", "target"), LINKS, ids=[f"{place} {target}" for place, _, target in LINKS]
)
def test_every_link_leads_somewhere(place: str, page: Path, target: str) -> None:
    path, _, anchor = target.partition("#")
    led_to = (page.parent / path).resolve() if path else page
    assert led_to.exists(), f"{place}: {path} is not there"
    assert not anchor or anchor in anchors(led_to), f"{place}: {path} has no heading {anchor}"


NAMED = tuple(
    dict.fromkeys(
        (block.place, path)
        for block in everywhere()
        if block.language is None
        for path in PATH.findall(block.text)
        if not path.startswith(("build/.work", "tests/data/eval/generated"))  # made when asked for
    )
)


@pytest.mark.parametrize(("place", "path"), NAMED, ids=[f"{place} {path}" for place, path in NAMED])
def test_every_file_that_is_named_is_there(place: str, path: str) -> None:
    pattern = re2.sub(r"<[a-z]+>|NAME", "*", path.partition("::")[0]).rstrip("/")
    assert any(ROOT.glob(pattern)), f"{place}: {path} is not there"
