"""What a person calls a program: many AI tools are a script that an interpreter runs, and `node` names none
of them.

Pure functions of a command line. Only names of files come out, never other arguments: those may hold secrets.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath, PureWindowsPath

_INTERPRETERS = ("node", "nodejs", "bun", "deno", "python", "pypy", "ruby", "perl", "electron")
_SUFFIXES = (".js", ".mjs", ".cjs", ".ts", ".py", ".pyw", ".pyz", ".rb", ".pl", ".exe", ".cmd")
# a package's entry file is named alike everywhere: the package is named by its directory
_ENTRY_FILES = frozenset({"cli", "index", "main", "__main__", "bin", "start", "run", "app"})
_PLAIN_DIRECTORIES = frozenset(
    {"bin", "dist", "build", "lib", "src", "out", "scripts", "bundle", "esm", "cjs"}
)
# options of node and python that take the next argument
_VALUED = frozenset({"-r", "--require", "--import", "--loader", "--experimental-loader", "-X", "-W", "-C"})
_CODE = frozenset({"-c", "-e", "-p", "--eval", "--print"})
_SUBCOMMANDS = frozenset({"run", "x", "exec"})  # bun run, deno run
_VERSION = frozenset("0123456789.-")
_LIMIT = 64  # arguments looked at, and characters of a name


def display_name(executable: str, arguments: Sequence[str], fallback: str = "") -> str:
    """The name of the program that `executable` runs as: `claude` for `/usr/bin/node /usr/local/bin/claude`.

    `arguments` is the whole command line, `fallback` the system's name of the process, used where nothing
    better is known.
    """
    program = _stem(executable or (arguments[0] if arguments else ""))
    if not _is_interpreter(program):
        versioned = not set(program) - _VERSION  # an installer may name its program by its version
        return (fallback or program) if versioned else program
    script, is_module = _hosted(arguments)
    if script:
        return script.partition(".")[0] if is_module else _script_name(script)
    # a program that sets its own title (`process.title = "claude"`) replaces the command line by it
    title = _stem(arguments[0].partition(" ")[0]) if arguments else ""
    return program if not title or _is_interpreter(title) else title


def hosted(executable: str, arguments: Sequence[str]) -> tuple[str, bool]:
    """What an interpreter runs: the path of a script as its command line has it, or the name of a module, and whether
    it is a module. Empty for every other program, and for code on the command line."""
    program = _stem(executable or (arguments[0] if arguments else ""))
    return _hosted(arguments) if _is_interpreter(program) else ("", False)


def _hosted(arguments: Sequence[str]) -> tuple[str, bool]:
    rest = iter(arguments[1:_LIMIT])
    for argument in rest:
        if argument == "-m":
            return next(rest, "")[:_LIMIT], True
        if argument in _CODE or argument == "-":
            return "", False
        if argument in _VALUED:
            next(rest, None)
        elif argument and not argument.startswith("-") and argument not in _SUBCOMMANDS:
            return argument, False
    return "", False


def _script_name(path: str) -> str:
    name = _stem(path)
    if name not in _ENTRY_FILES:
        return name
    for directory in reversed(_pure(path).parent.parts):
        if directory not in _PLAIN_DIRECTORIES and directory.strip("/\\.:"):
            return directory[:_LIMIT]
    return name


def _is_interpreter(name: str) -> bool:
    # python3.13, node22
    return name.lower().rstrip("0123456789.") in _INTERPRETERS


def _stem(path: str) -> str:
    name = _pure(path).name
    for suffix in _SUFFIXES:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)][:_LIMIT]
    return name[:_LIMIT]


def _pure(path: str) -> PurePosixPath | PureWindowsPath:
    return PureWindowsPath(path) if "\\" in path else PurePosixPath(path)
