"""Objects that others may call over D-Bus: methods, properties and signals as tables, and the interfaces that every
object has (`Properties`, `Introspectable`, `Peer`). Messages in, messages out; no connection."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape

from jeepney import (
    DBusAddress,
    HeaderFields,
    Message,
    new_error,
    new_method_return,
    new_signal,
)

log = logging.getLogger(__name__)

_ERROR = "org.freedesktop.DBus.Error."
_PROPERTIES = "org.freedesktop.DBus.Properties"

type Values = tuple[object, ...]


class CallError(Exception):
    """A call that cannot be carried out: the last word of the error's name, and why."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = _ERROR + name


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """What can be called: signatures of what it takes and gives, and the function. Raises CallError."""

    takes: str = ""
    gives: str = ""
    call: Callable[..., Values]


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """What can be read."""

    kind: str
    value: Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One interface of an object. `signals` are signatures by name."""

    name: str
    methods: Mapping[str, Method] = field(default_factory=dict)
    properties: Mapping[str, Property] = field(default_factory=dict)
    signals: Mapping[str, str] = field(default_factory=dict)


class BusObject:
    """One object at its path."""

    def __init__(self, path: str, interface: Interface) -> None:
        self.path = path
        self._own = interface
        self._interfaces = {each.name: each for each in (interface, *self._standard())}

    def answer(self, call: Message) -> Message:
        """The reply to a method call. Never raises: what goes wrong is the reply."""
        fields = call.header.fields
        try:
            method = self._method(fields.get(HeaderFields.interface), fields.get(HeaderFields.member, ""))
            if fields.get(HeaderFields.signature, "") != method.takes:
                raise CallError("InvalidArgs", f"the arguments must be ({method.takes})")
            return new_method_return(call, method.gives or None, method.call(*call.body))
        except CallError as error:
            return new_error(call, error.name, "s", (str(error),))
        except Exception:
            log.exception("a call over D-Bus failed")
            return new_error(call, _ERROR + "Failed", "s", ("the tray failed at this",))

    def signal(self, name: str, body: Values = ()) -> Message:
        """A signal of the object's own interface."""
        kind = self._own.signals[name]
        emitter = DBusAddress(self.path, interface=self._own.name)
        return new_signal(emitter, name, kind or None, body)

    def _method(self, interface: str | None, name: str) -> Method:
        offered = [self._interfaces[interface]] if interface in self._interfaces else []
        for each in offered if interface else self._interfaces.values():
            if name in each.methods:
                return each.methods[name]
        raise CallError("UnknownMethod", f"there is no method {name} here")

    def _standard(self) -> tuple[Interface, ...]:
        return (
            Interface(
                name=_PROPERTIES,
                methods={
                    "Get": Method(takes="ss", gives="v", call=self._get),
                    "GetAll": Method(takes="s", gives="a{sv}", call=self._get_all),
                    "Set": Method(takes="ssv", call=self._set),
                },
            ),
            Interface(
                name="org.freedesktop.DBus.Introspectable",
                methods={"Introspect": Method(gives="s", call=lambda: (self._described(),))},
            ),
            Interface(name="org.freedesktop.DBus.Peer", methods={"Ping": Method(call=tuple)}),
        )

    def _get(self, interface: str, name: str) -> Values:
        found = self._own.properties.get(name) if interface in (self._own.name, "") else None
        if found is None:
            raise CallError("UnknownProperty", f"there is no property {name} here")
        return ((found.kind, found.value()),)

    def _get_all(self, interface: str) -> Values:
        if interface not in (self._own.name, ""):
            return ({},)
        return ({name: (each.kind, each.value()) for name, each in self._own.properties.items()},)

    def _set(self, interface: str, name: str, value: object) -> Values:
        raise CallError("PropertyReadOnly", f"{interface} {name} cannot be set")

    def _described(self) -> str:
        """Some panels look before they ask."""
        lines = ["<node>"]
        for each in self._interfaces.values():
            lines.append(f'<interface name="{escape(each.name)}">')
            for name, method in each.methods.items():
                lines.append(
                    f'<method name="{name}">{_args(method.takes, "in")}{_args(method.gives, "out")}</method>'
                )
            for name, kind in each.signals.items():
                lines.append(f'<signal name="{name}">{_args(kind, "")}</signal>')
            lines += [
                f'<property name="{name}" type="{one.kind}" access="read"/>'
                for name, one in each.properties.items()
            ]
            lines.append("</interface>")
        return "\n".join([*lines, "</node>"])


def _args(signature: str, direction: str) -> str:
    way = f' direction="{direction}"' if direction else ""
    return "".join(f'<arg type="{each}"{way}/>' for each in split(signature))


def split(signature: str) -> list[str]:
    """The single complete types of a signature: `ia{sv}av` is `i`, `a{sv}`, `av`."""
    found: list[str] = []
    depth, begun = 0, ""
    for each in signature:
        begun += each
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(each, 0)
        if depth == 0 and each != "a":
            found.append(begun)
            begun = ""
    return found
