"""One setting as data: how it is read, and everything that schema, templates, docs and `config explain` tell of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from agent.host.setting_shapes import Shape, shape_of


class Category(StrEnum):
    """Where a setting stands in an administrator's editor."""

    GENERAL = "General"
    NETWORK = "Network"
    POLICY = "Policy"
    SIGN_IN = "Sign-in"
    DIAGNOSTICS = "Diagnostics"


class Effect(StrEnum):
    """When a changed value takes hold."""

    LIVE = "within a minute"
    ENGINE = "when the engine is started again"  # connections wait meanwhile, none is refused
    SERVICE = "when the service is started again"


class System(StrEnum):
    """The systems that Drawbridge runs on."""

    MACOS = "macos"
    WINDOWS = "windows"
    LINUX = "linux"


@dataclass(frozen=True, slots=True, kw_only=True)
class PerSystem:
    """An example that looks different on each system."""

    macos: str
    windows: str
    linux: str

    def on(self, system: System) -> str:
        """The example for a system."""
        return {System.MACOS: self.macos, System.WINDOWS: self.windows, System.LINUX: self.linux}[system]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One setting: how a raw value of any source is read, and what is allowed, in words. A reader that is not one of
    `setting_values` comes with its `shape`."""

    read: Callable[[object], object]
    allowed: str
    about: str = ""
    """One sentence for an administrator."""
    shape: Shape | None = None
    since: str = "0.1.0"
    takes_hold: Effect = Effect.ENGINE
    category: Category = Category.GENERAL
    default: str = ""
    """What holds where nobody sets it, in words, if the value in `Settings` does not say it."""
    example: object | PerSystem = None
    starter: bool = False
    """Whether templates hold it where no values are asked for."""
    secret: bool = False
    """Never shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A setting with its name and its default in words."""

    name: str
    key: Key
    shape: Shape
    default: str

    @classmethod
    def of(cls, name: str, key: Key, default: object) -> Row:
        """`default` is the value in `Settings`. A reader without a known shape is an error of ours."""
        shape = key.shape or shape_of(key.read)
        if shape is None:
            raise ValueError(f"the setting {name} has a reader of its own and no shape")
        return cls(name=name, key=key, shape=shape, default=key.default or _words(default))

    def example(self, system: System) -> object:
        """How a value may look; None where there is no example."""
        found = self.key.example
        return found.on(system) if isinstance(found, PerSystem) else found

    @property
    def title(self) -> str:
        """The name as a heading: `Proxy port`."""
        words = self.name.replace("_", " ").replace("ca file", "CA file").replace(" dir", " directory")
        return words[0].upper() + words[1:]


def _words(value: object) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case None | ():
            return "none"
        case _:
            return str(value)
