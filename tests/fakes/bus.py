"""A D-Bus without a bus: calls that go to an object as bytes would, and a connection that is told what comes."""

from __future__ import annotations

import queue
from typing import Any

from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_method_call
from jeepney.io.threading import ReceiveStopped

from agent.errors import HostError
from agent.tray.bus_objects import BusObject, CallError

CALLER = ":1.7"


def calling(path: str, interface: str | None, method: str, signature: str, *body: object) -> Message:
    """A method call as it arrives."""
    place = DBusAddress(path, "org.example.Name", interface)
    message = new_method_call(place, method, signature or None, body)
    message.header.fields[HeaderFields.sender] = CALLER
    return Message.from_buffer(message.serialise(serial=9))


def call(
    thing: BusObject, interface: str | None, method: str, signature: str, *body: object
) -> tuple[Any, ...]:
    """What the object gives, written and read again. Raises CallError for an error."""
    return given(thing.answer(calling(thing.path, interface, method, signature, *body)))


def given(answer: Message) -> tuple[Any, ...]:
    """What an answer carries. Raises CallError for an error."""
    read = Message.from_buffer(answer.serialise(serial=1))
    assert read.header.fields[HeaderFields.reply_serial] == 9
    assert read.header.fields[HeaderFields.destination] == CALLER
    if read.header.message_type is MessageType.error:
        error = CallError("", str(read.body))
        error.name = read.header.fields[HeaderFields.error_name]
        raise error
    return tuple(read.body)


class FakeConnection:
    """Gives what is put into `arriving`, None for silence, an exception to raise it; keeps what is sent."""

    def __init__(self) -> None:
        self.arriving: queue.SimpleQueue[Message | Exception | None] = queue.SimpleQueue()
        self.sent: list[Message] = []
        self.closed = False
        self.broken = False

    def send(self, message: Message, serial: int | None = None) -> None:
        del serial
        if self.broken:
            raise BrokenPipeError
        message.serialise(serial=1)
        self.sent.append(message)

    def receive(self, *, timeout: float | None = None) -> Message:
        del timeout
        found = self.arriving.get()
        if isinstance(found, Message):
            return found
        raise found if found is not None else TimeoutError

    def interrupt(self) -> None:
        self.arriving.put(ReceiveStopped())

    def close(self) -> None:
        self.closed = True

    def told(self) -> list[tuple[str, tuple[Any, ...]]]:
        """Members and bodies of what was sent since the last call."""
        found = [(each.header.fields.get(HeaderFields.member, ""), tuple(each.body)) for each in self.sent]
        self.sent.clear()
        return found


class FakeBus:
    """Answers calls with what is prepared for them, by method."""

    def __init__(self, **answers: tuple[Any, ...] | HostError) -> None:
        self.answers = answers
        self.calls: list[tuple[str, tuple[object, ...]]] = []

    def call(
        self, place: tuple[str, str, str], method: str, signature: str = "", body: tuple[object, ...] = ()
    ) -> tuple[Any, ...]:
        name, path, interface = place
        new_method_call(DBusAddress(path, name, interface), method, signature or None, body).serialise(
            serial=1
        )
        self.calls.append((method, body))
        answer = self.answers[method]
        if isinstance(answer, HostError):
            raise answer
        return answer
