"""An app: a program that people know by a name, as the catalog (or the policy) describes it; and who asks by it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.model.direct import direct


class AppKind(StrEnum):
    """What people use an app as."""

    AGENT = "agent"  # works on code or files by itself
    DESKTOP = "desktop"  # chat in a window of its own
    IDE = "ide"
    EXTENSION = "extension"  # lives in another app's process
    BROWSER = "browser"
    CLI = "cli"  # chat in a terminal
    TOOL = "tool"  # a general program, or the interpreter of a script that nobody knows
    SERVER = "server"  # serves models on the machine


class Evidence(StrEnum):
    """How well it is known which app asks, the weakest first."""

    NONE = ""
    ENDPOINT = "endpoint"  # only this app is known to ask at that path
    CLAIMED = "claimed"  # the request says so
    PROCESS = (
        "process"  # the program's name, path or bundle says so; whoever can rename a file can make that up
    )
    SIGNED = (
        "signed"  # the operating system vouches for the program's maker: code signature, or system package
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderMark:
    """A request header by which an app can be told. `value` is a glob on the whole value; `*` is any."""

    name: str  # lower case
    value: str = "*"

    @classmethod
    def parse(cls, text: str) -> HeaderMark:
        """A mark written as `name` or `name: value`. Raises ValueError."""
        name, colon, value = text.partition(":")
        name, value = name.strip().lower(), value.strip()
        if not name or (colon and not value) or set(name) & set(" \t*"):
            raise ValueError("is no header: write 'name' or 'name: value'")
        return cls(name=name, value=value or "*")


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One app, and how to tell it.

    Names are compared without case and without `.exe`; `*` in them stands for anything. A program that an interpreter
    runs is told by `scripts` (a part of the script's path, with `/`) or `modules` (`python -m NAME`). `teams` are
    Apple's team identifiers, `signing_ids` the identifiers of signed programs that are in no bundle, `signers` the
    organisations of Windows certificates; each counts only for a program that the other keys fit, too. `packages` are
    names of Linux packages, or `snap:NAME` and `flatpak:ID`.
    """

    id: str
    name: str
    vendor: str
    kind: AppKind
    names: tuple[str, ...] = ()  # of executables, and of scripts without their ending
    paths: tuple[str, ...] = ()  # parts of an executable's path, with `/`
    scripts: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()  # macOS bundle identifiers; `*` stands for anything
    teams: tuple[str, ...] = ()
    signing_ids: tuple[str, ...] = ()
    signers: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    user_agents: tuple[str, ...] = ()  # how its User-Agent begins
    headers: tuple[HeaderMark, ...] = ()  # any of them tells it
    hosted_by: tuple[str, ...] = ()  # ids of the apps in whose process it may live


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Which app asks, and how that is known. Ids of the catalog, empty where unknown.

    `seen` is the app that the process shows, `claimed` the one that the request names; they differ where an extension
    speaks from its host's process (then `app` is the extension), or where a request pretends (then it is not).
    `within` are the apps that started it, the nearest first.
    """

    app: str = ""
    evidence: Evidence = Evidence.NONE
    seen: str = ""
    claimed: str = ""
    within: tuple[str, ...] = ()

    @property
    def vouched(self) -> bool:
        """Whether more than the request's own word stands for `app`: its process, or that of the app it lives in."""
        return bool(self.seen)


UNKNOWN_ASKER = Asker()
"""Nothing is known."""
