"""A transport that can gather writes."""

from __future__ import annotations

import asyncio

from agent.gateway.cork import CorkedTransport


class Recorder(asyncio.Transport):
    """Notes what is done to it."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[object] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.done.append(bytes(data))

    def close(self) -> None:
        self.closed = True
        self.done.append("close")

    def abort(self) -> None:
        self.closed = True
        self.done.append("abort")

    def is_closing(self) -> bool:
        return self.closed


def corked() -> tuple[CorkedTransport, Recorder]:
    inner = Recorder()
    return CorkedTransport(inner), inner


def test_writes_pass_at_once() -> None:
    cork, inner = corked()
    cork.write(b"a")
    cork.write(memoryview(b"b"))
    assert inner.done == [b"a", b"b"]


def test_what_is_gathered_leaves_in_one_piece() -> None:
    cork, inner = corked()
    cork.gather()
    cork.write(b"head ")
    cork.write(b"body")
    assert inner.done == []
    cork.release()
    cork.write(b"!")
    assert inner.done == [b"head body", b"!"]


def test_nothing_gathered_is_nothing_written() -> None:
    cork, inner = corked()
    cork.gather()
    cork.release()
    assert inner.done == []


def test_a_close_meanwhile_waits_for_what_was_gathered() -> None:
    cork, inner = corked()
    cork.gather()
    cork.write(b"bye")
    cork.close()
    assert cork.is_closing()
    assert inner.done == []
    cork.release()
    assert inner.done == [b"bye", "close"]


def test_an_abort_loses_what_was_gathered() -> None:
    cork, inner = corked()
    cork.gather()
    cork.write(b"never")
    cork.abort()
    cork.release()
    assert inner.done == ["abort"]


def test_a_connection_that_is_gone_is_not_written_to() -> None:
    cork, inner = corked()
    cork.gather()
    cork.write(b"late")
    inner.closed = True
    cork.release()
    assert inner.done == []
    assert cork.is_closing()
