"""An object on D-Bus, called as panels call it. Every answer is written as bytes, as a connection would."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from jeepney import HeaderFields, MessageType

from agent.tray.bus_objects import BusObject, CallError, Interface, Method, Property, split
from tests.fakes.bus import call

PROPERTIES = "org.freedesktop.DBus.Properties"


def twice(number: int) -> tuple[object, ...]:
    if number < 0:
        raise CallError("InvalidArgs", "no")
    return (2 * number,)


def broken() -> tuple[object, ...]:
    raise ValueError("a bug")


THING = BusObject(
    "/thing",
    Interface(
        name="org.example.Thing",
        methods={"Twice": Method(takes="i", gives="i", call=twice), "Break": Method(call=broken)},
        properties={"Size": Property(kind="i", value=lambda: 3)},
        signals={"Changed": "ia{sv}"},
    ),
)


def test_methods_are_called_with_or_without_the_interface() -> None:
    assert call(THING, "org.example.Thing", "Twice", "i", 4) == (8,)
    assert call(THING, None, "Twice", "i", 4) == (8,)


@pytest.mark.parametrize(
    ("interface", "method", "signature", "body", "name"),
    [
        ("org.example.Thing", "Thrice", "", (), "UnknownMethod"),
        ("org.example.Other", "Twice", "i", (1,), "UnknownMethod"),
        ("org.example.Thing", "Twice", "s", ("x",), "InvalidArgs"),
        ("org.example.Thing", "Twice", "i", (-1,), "InvalidArgs"),
        ("org.example.Thing", "Break", "", (), "Failed"),
        (PROPERTIES, "Get", "ss", ("org.example.Thing", "Weight"), "UnknownProperty"),
        (PROPERTIES, "Set", "ssv", ("org.example.Thing", "Size", ("i", 1)), "PropertyReadOnly"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_goes_wrong_is_an_answer(
    interface: str, method: str, signature: str, body: tuple[object, ...], name: str
) -> None:
    with pytest.raises(CallError) as refused:
        call(THING, interface, method, signature, *body)
    assert refused.value.name.endswith(f".{name}")


def test_properties_are_read_one_by_one_and_together() -> None:
    assert call(THING, PROPERTIES, "Get", "ss", "org.example.Thing", "Size") == (("i", 3),)
    assert call(THING, PROPERTIES, "GetAll", "s", "org.example.Thing") == ({"Size": ("i", 3)},)
    assert call(THING, PROPERTIES, "GetAll", "s", "org.example.Other") == ({},)


def test_it_describes_itself() -> None:
    [told] = call(THING, "org.freedesktop.DBus.Introspectable", "Introspect", "")
    root = ET.fromstring(str(told))
    assert [each.get("type") for each in root.iterfind("interface/signal[@name='Changed']/arg")] == [
        "i",
        "a{sv}",
    ]
    assert call(THING, "org.freedesktop.DBus.Peer", "Ping", "") == ()


def test_a_signal_carries_what_its_signature_says() -> None:
    message = THING.signal("Changed", (1, {"a": ("s", "b")}))
    message.serialise(serial=1)
    assert message.header.message_type is MessageType.signal
    assert message.header.fields[HeaderFields.signature] == "ia{sv}"


def test_signatures_are_split_into_whole_types() -> None:
    assert split("ia{sv}av(ia(ii))s") == ["i", "a{sv}", "av", "(ia(ii))", "s"]
