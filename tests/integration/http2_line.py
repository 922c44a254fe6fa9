"""One HTTP/2 connection through the agent's proxy, for clients such as browsers: several exchanges at a time."""

from __future__ import annotations

from collections.abc import Iterable

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

from tests.integration.line import Answer, Line

_FRAME = 16_384


class Http2Line:
    """HTTP/2 on a TLS line whose protocol was agreed to be h2."""

    def __init__(self, line: Line) -> None:
        self._sock = line.sock
        self._host = line.host
        config = h2.config.H2Configuration(header_encoding="utf-8")
        self._http2 = h2.connection.H2Connection(config)
        self._http2.initiate_connection()
        self._status: dict[int, int] = {}
        self._bodies: dict[int, bytearray] = {}
        self._whole: dict[int, bool] = {}
        self._unread: dict[int, int] = {}  # bytes that came for streams that are not read
        self._flush()

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        authority: str | None = None,
        fields: Iterable[tuple[str, str]] = (),
        read: bool = True,
    ) -> int:
        """Send one request whole; the number of its stream. Unless it is to be `read`, no room is made for the answer
        beyond the first 64 KB.
        """
        number = self._http2.get_next_available_stream_id()
        head = [
            (":method", method),
            (":scheme", "https"),
            (":authority", authority or self._host),
            (":path", path),
        ]
        if body:
            head += [("content-type", "application/json"), ("content-length", str(len(body)))]
        self._bodies[number] = bytearray()
        if not read:
            self._unread[number] = 0
        self._http2.send_headers(number, [*head, *fields], end_stream=not body)
        view = memoryview(body)
        while view and number not in self._whole:
            room = min(self._http2.local_flow_control_window(number), _FRAME, len(view))
            if not room:
                self._flush()
                self._read()
                continue
            self._http2.send_data(number, bytes(view[:room]), end_stream=room == len(view))
            view = view[room:]
            self._flush()
        self._flush()
        return number

    def answers(self, *numbers: int) -> list[Answer]:
        """Read until these streams have ended, well or not; their answers."""
        while any(number not in self._whole for number in numbers):
            self._read()
        return [
            Answer(
                status=self._status.get(number, 0),
                body=bytes(self._bodies[number]),
                whole=self._whole[number],
            )
            for number in numbers
        ]

    def ask(self, method: str, path: str, body: bytes = b"", *, authority: str | None = None) -> Answer:
        """One exchange."""
        return self.answers(self.request(method, path, body, authority=authority))[0]

    def reset(self, number: int) -> None:
        """Give one exchange up; the others go on."""
        self._http2.reset_stream(number, h2.errors.ErrorCodes.CANCEL)
        self._flush()

    def read_on(self, number: int) -> None:
        """Make room for an answer that was not read so far."""
        self._http2.increment_flow_control_window(self._unread.pop(number), number)
        self._flush()

    def first_piece(self, number: int) -> bytes:
        """Read until something of this answer's body has come."""
        while not self._bodies[number] and number not in self._whole:
            self._read()
        return bytes(self._bodies[number])

    def _read(self) -> None:
        data = self._sock.recv(65_536)
        if not data:
            for number in self._bodies:
                self._whole.setdefault(number, False)
            return
        for event in self._http2.receive_data(data):
            match event:
                case h2.events.ResponseReceived():
                    self._status[event.stream_id] = int(dict(event.headers)[":status"])
                case h2.events.DataReceived():
                    self._bodies[event.stream_id] += event.data
                    self._acknowledge(event.stream_id, event.flow_controlled_length)
                case h2.events.StreamEnded():
                    self._whole[event.stream_id] = True
                case h2.events.StreamReset():
                    self._whole.setdefault(event.stream_id, False)  # after its end: "send me no more"
                case h2.events.ConnectionTerminated():
                    for number in self._bodies:
                        self._whole.setdefault(number, False)
        self._flush()

    def _acknowledge(self, number: int, size: int) -> None:
        if number not in self._unread:
            self._http2.acknowledge_received_data(size, number)
        elif size:
            self._unread[number] += size
            self._http2.increment_flow_control_window(size)  # the connection's: the other streams go on

    def _flush(self) -> None:
        if data := self._http2.data_to_send():
            self._sock.sendall(data)
