"""The shape of the house: what holds for all of the code, whatever it does."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import re2

from agent.guardrails import Scanner, bundled_rules
from agent.model.findings import Family
from agent.policy import json_schema

ROOT = Path(__file__).parents[1]
CODE = ("agent", "addons", "build")
LONG, TOO_LONG = 400, 600  # lines of a module: what we aim at, and what is refused
NAMES_THAT_SAY_NOTHING = {
    "utils",
    "util",
    "common",
    "helpers",
    "helper",
    "manager",
    "misc",
    "stuff",
    "shared",
}
PLACEHOLDERS = (
    "password-",
    "basic-auth-",
    "connection-string-",
)  # rules that take `hunter2` for what it stands for
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("repo", "maven", "org"),
        ("registry-1", "docker", "io"),
    )
)


def modules(*folders: str) -> list[Path]:
    """The Python files below these folders."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if ".work" not in path.parts)


def name(path: Path) -> str:
    """The file's name from the root on."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """The file, parsed."""
    return ast.parse(path.read_bytes())


@cache
def committed() -> tuple[Path, ...]:
    """Every file that is or would be committed."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("which files are committed is known only in a git checkout")
    listed = subprocess.run(
        [git, "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = (ROOT / each.decode() for each in listed.stdout.split(b"\0") if each)
    return tuple(path for path in paths if path.is_file())


def texts() -> Iterator[tuple[str, str]]:
    """Name and content of every committed text file."""
    for path in committed():
        try:
            yield name(path), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_imports_point_down_only() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout


def test_no_module_is_too_long() -> None:
    lengths = {name(path): len(path.read_bytes().splitlines()) for path in modules(*CODE, "tests")}
    for path, length in sorted(lengths.items(), key=lambda each: -each[1]):
        if length > LONG:
            print(f"{length:5} {path}")  # seen with -rP: what to split next
    assert [path for path in lengths if lengths[path] > TOO_LONG and not path.startswith("tests/")] == []


@pytest.mark.parametrize("folder", CODE)
def test_every_module_says_what_it_owns(folder: str) -> None:
    silent = [name(path) for path in modules(folder) if not ast.get_docstring(tree(path))]
    assert silent == []


def test_modules_are_named_by_what_they_are() -> None:
    assert [name(path) for path in modules(*CODE, "tests") if path.stem in NAMES_THAT_SAY_NOTHING] == []


def test_no_function_changes_a_global() -> None:
    guilty = [
        name(path)
        for path in modules(*CODE)
        if any(isinstance(node, ast.Global) for node in ast.walk(tree(path)))
    ]
    assert guilty == []


def imported(script: str) -> None:
    """Run a script in a Python of its own."""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_importing_the_core_starts_nothing_and_brings_no_servers() -> None:
    """Whatever is imported at the start of every command must be quick and quiet."""
    imported(
        "import sys, threading, agent.inspection, agent.policy, agent.guardrails, agent.dialects\n"
        "assert threading.active_count() == 1\n"
        "found = {'asyncio', 'aiohttp', 'httpx', 'mitmproxy', 'uvicorn', 'sqlite3'} & set(sys.modules)\n"
        "assert not found, found\n"
    )


def test_mitmproxy_brings_no_web_frameworks() -> None:
    imported(
        "import sys, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "from agent.interception.library import prepare\n"
        "prepare()\n"
        "import agent.interception.engine, addons\n"
        "found = {'flask', 'tornado', 'ldap3', 'mitmproxy.tools', 'mitmproxy.addons.onboarding'} & set(sys.modules)\n"
        "assert not found, found\n"
    )


def test_the_schema_of_policies_is_current() -> None:
    file = ROOT / "policies" / "schema" / "policy.schema.json"
    assert file.read_text(encoding="utf-8") == json_schema(), "run `make schema`"


@pytest.mark.parametrize("lock", ["run.txt", "dev.txt"])
def test_every_locked_package_is_pinned_and_hashed_and_comes_from_nowhere_in_particular(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(lines) > 20
    assert [line for line in lines if "==" not in line.split(" ")[0] or "--hash=sha256:" not in line] == []
    assert [line for line in lines if "://" in line or " @ " in line or line.startswith("-")] == []


def test_no_file_names_a_package_registry() -> None:
    assert [path for path, text in texts() if any(host in text for host in REGISTRIES)] == []


def test_no_file_holds_what_our_own_scanner_takes_for_a_credential() -> None:
    rules = [rule for rule in bundled_rules() if rule.family is Family.SECRET]
    scanner = Scanner(tuple(rule for rule in rules if not rule.id.startswith(PLACEHOLDERS)))
    found = [
        f"{path}:{text.count('\n', 0, finding.start) + 1} {finding.rule}"
        for path, text in texts()
        if not path.startswith("requirements/")
        for finding in scanner.scan(text)
    ]
    assert found == []


ROOT_PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def test_the_architecture_fits_a_few_minutes() -> None:
    assert len(ROOT_PAGE.splitlines()) <= 150


def test_what_the_architecture_names_is_there() -> None:
    """Paths with their folder as they stand; `x.py` behind a folder that was named before, somewhere in the house."""
    named = [word for word in re2.findall(r"`([^`\s]+)`", ROOT_PAGE) if "<" not in word]
    later = {"installers/"}
    paths = {
        word
        for word in named
        if word.split("/")[0] in ("agent", "addons", "build", "policies", "tests", "docs")
    } - later
    assert {word for word in paths if not any(ROOT.glob(word.rstrip("/")))} == set()
    files = {path.name for folder in ("agent", "addons", "build") for path in (ROOT / folder).rglob("*.*")}
    bare = {word for word in named if "/" not in word and word.endswith((".py", ".toml"))}
    assert bare - files - {path.name for path in ROOT.glob("*.toml")} == set()


def test_every_room_is_in_the_architecture() -> None:
    rooms = {path.parent.name for path in (ROOT / "agent").glob("*/__init__.py")}
    assert {room for room in rooms if f"`agent/{room}/`" not in ROOT_PAGE} == set()
