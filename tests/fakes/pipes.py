"""Named pipes without Windows: names in a dictionary, each client a pair of sockets."""

from __future__ import annotations

import queue
import socket
import threading
from dataclasses import dataclass, field

from agent.host.peers import WINDOWS_ADMINISTRATORS, Account, Peer

SYSTEM, ADMINISTRATORS = WINDOWS_ADMINISTRATORS
ANN = Peer(uid=1001, pid=77, account=Account(name=r"CORP\ann", groups=frozenset({"S-1-5-21-1-1001"})))
ROOT = Peer(
    uid=500, pid=78, account=Account(name=r"CORP\admin", groups=frozenset({ADMINISTRATORS, "S-1-5-21-1-500"}))
)


@dataclass(slots=True)
class End:
    """One end of a pipe; a listening one has no socket yet."""

    name: str
    sock: socket.socket | None = None
    heard: bool = False  # whether something was read from it


@dataclass
class FakePipes:
    """All of a machine's. `client` is who connects, `maker` whose pipes are."""

    client: Peer = ANN
    maker: str = SYSTEM
    account: str = SYSTEM
    made: dict[str, str] = field(default_factory=dict)
    """Descriptors by name."""
    closed: int = 0

    def __post_init__(self) -> None:
        self._waiting: queue.SimpleQueue[socket.socket | None] = queue.SimpleQueue()
        self._lock = threading.Lock()

    def own(self) -> str:
        return self.account

    def create(self, name: str, descriptor: str, *, first: bool) -> End:
        with self._lock:
            if first and name in self.made:
                raise PermissionError(5, "CreateNamedPipe: Access is denied.")
            self.made[name] = descriptor
            return End(name)

    def accept(self, pipe: End) -> bool:
        pipe.sock = self._waiting.get()
        return pipe.sock is not None

    def stop(self) -> None:
        self._waiting.put(None)

    def peer(self, pipe: End) -> Peer:
        if not pipe.heard:
            raise OSError(
                1368, "Unable to impersonate using a named pipe until data has been read from that pipe."
            )
        return self.client

    def connect(self, name: str, seconds: float) -> End:
        del seconds
        if name not in self.made:
            raise FileNotFoundError(2, "CreateFile: The system cannot find the file specified.")
        near, far = socket.socketpair()
        self._waiting.put(far)
        return End(name, near)

    def owner(self, pipe: End) -> str:
        assert pipe.sock is not None
        return self.maker

    def read(self, pipe: End, size: int, seconds: float) -> bytes:
        assert pipe.sock is not None
        pipe.sock.settimeout(max(seconds, 0.001))
        try:
            data = pipe.sock.recv(size)
        except ConnectionResetError:
            return b""
        pipe.heard = True
        return data

    def write(self, pipe: End, data: bytes, seconds: float) -> None:
        assert pipe.sock is not None
        pipe.sock.settimeout(seconds)
        pipe.sock.sendall(data)

    def close(self, pipe: End) -> None:
        with self._lock:
            self.closed += 1
        if pipe.sock is not None:
            pipe.sock.close()
