"""Other programs: the one place that starts processes.

`run` asks a system tool something and gives its answer back; `Companion` runs beside us; `Servant` is this program
once more, spoken to over pipes; `replace` turns this process into the user's command, `renew` into this very program
as it lies on the disk now. Never a shell, never a relative program path, never unbounded output, never a wait without
end. All block.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn, Self

from agent.errors import HostError

OUTPUT_LIMIT = (
    8 * 1024 * 1024
)  # bytes per stream; the largest known answer is a keychain's certificates, 0.5 MB
_CHUNK = 64 * 1024
_NEEDED = (
    "PATH",
    "SYSTEMROOT",
    "WINDIR",
    "TEMP",
    "TMP",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYINSTALLER_RESET_ENVIRONMENT",
)
_LAST_SECONDS = 2.0  # for a companion whose owner did not stop it in order


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a program ended. A negative `code` is the signal that ended it."""

    code: int
    stdout: bytes
    stderr: bytes


type Runner = Callable[[Sequence[str]], Completed]
"""`run` with its limits already chosen: what per-OS code asks for, and what tests replace."""


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    stdin: bytes | None = None,
    limit: int = OUTPUT_LIMIT,
    locale: str = "C",
) -> Completed:
    """Run `argv` and wait at most `timeout` seconds for it. Blocks.

    Tools that are read by us say nothing translated: hence the locale. Those that show a text need one with letters.

    A non-zero code is an answer, not an error. Raises HostError where the program is missing, cannot be
    started, takes too long, or writes more than `limit` bytes to one stream; it is ended then, with its
    children.
    """
    program = find_program(argv[0], os.environ)
    try:
        process = subprocess.Popen(
            [program, *argv[1:]],
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=outside_environment(os.environ) | {"LC_ALL": locale},
            start_new_session=True,  # so that its children can be ended with it
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # Windows: no console flashes up
        )
    except OSError as error:
        raise HostError(f"cannot start {program}: {error.strerror or error}") from error
    with process:
        return _converse(process, program, stdin, timeout, limit)


class _Owned:
    """A process that somebody here owns."""

    _process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.poll()


class Companion(_Owned):
    """A program that runs while the `with` block does, its output in a file. Leaving the block ends it."""

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str], *, output: Path) -> None:
        """Start `argv`. Raises HostError where it is missing or cannot be started."""
        outside = outside_environment(environ)
        program = find_program(argv[0], outside)
        try:
            with output.open("wb") as file:
                self._process = subprocess.Popen(
                    [program, *argv[1:]],
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    env=outside,
                )
        except OSError as error:
            raise HostError(f"cannot start {program}: {error.strerror or error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(_LAST_SECONDS)

    def stop(self, seconds: float) -> int:
        """Ask it to end, insist after `seconds`; its exit code."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._process.wait()


class Child(_Owned):
    """A process of this very program that outlives no `with` block: its owner watches it. It writes where we write."""

    def __init__(self, arguments: Sequence[str], *, inherit: Sequence[int] = ()) -> None:
        """Start it with `arguments`, as commands of ours have them, and the descriptors `inherit`. Raises HostError."""
        try:
            self._process = subprocess.Popen(
                [*ourselves(), *arguments],
                stdin=subprocess.DEVNULL,
                pass_fds=tuple(inherit),
                env=own_environment(os.environ),
                start_new_session=True,  # a terminal's Ctrl-C is for its owner, who tells it
            )
        except OSError as error:
            raise HostError(f"cannot start a process: {error.strerror or error}") from error

    def signal(self, number: int) -> None:
        """Send it a signal; none where it is gone."""
        with suppress(OSError):
            self._process.send_signal(number)


class Servant(_Owned):
    """A process of this very program that answers on its standard output what it is asked on its standard input. It is
    given no environment but what a program needs to start: no keys, no proxies."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """Start it with `arguments`. Raises HostError."""
        own = own_environment(os.environ)
        environ = {name: own[name] for name in _NEEDED if name in own}
        try:
            self._process = subprocess.Popen(
                [*ourselves(), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # what a parser prints may be content
                env=environ,
                start_new_session=True,  # a terminal's Ctrl-C is for its owner, who ends it
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise HostError(f"cannot start a process: {error.strerror or error}") from error
        assert self._process.stdin is not None  # asked for as pipes just before
        assert self._process.stdout is not None
        self.asks: IO[bytes] = self._process.stdin
        """Where it reads."""
        self.answers: IO[bytes] = self._process.stdout
        """What it writes; at its end, it has ended."""

    def kill(self) -> None:
        """End it at once. Safe to call twice, and from any thread."""
        with suppress(OSError):
            self._process.kill()

    def close(self) -> None:
        """Kill it and let go of its pipes. Blocks until it is gone."""
        self.kill()
        self._process.wait()
        for pipe in (self.asks, self.answers):
            with suppress(OSError):
                pipe.close()


def replace(argv: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Become `argv`, with `environ` as its environment. Never returns.

    On Windows, which has no exec, the command runs as a child and this process leaves with its exit code
    (SystemExit). Raises HostError where the command cannot be started.
    """
    outside = outside_environment(environ)
    program = find_program(argv[0], outside)
    if sys.platform == "win32":
        raise SystemExit(attend([program, *argv[1:]], outside))
    try:
        os.execve(program, list(argv), outside)  # noqa: S606  no shell is the point
    except OSError as error:
        raise HostError(f"cannot start {program}: {error.strerror or error}") from error


def renew(arguments: Sequence[str], *, keep: Sequence[int], environ: Mapping[str, str]) -> NoReturn:
    """Become this very program anew, the same process with the same descriptors `keep`, after an update for example.

    POSIX only. Raises HostError where it cannot be started; this process is as it was then.
    """
    command = [*ourselves(), *arguments]
    try:
        for number in keep:
            os.set_inheritable(number, True)  # noqa: FBT003  the os module's own signature
        os.execve(command[0], command, own_environment(environ))  # noqa: S606  no shell is the point
    except OSError as error:
        for number in keep:
            os.set_inheritable(number, False)  # noqa: FBT003
        raise HostError(f"cannot start {command[0]} anew: {error.strerror or error}") from error


def attend(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run `argv` on this terminal until it ends; its exit code. Signals to end reach it instead of us.

    A terminal's Ctrl-C reaches the child by itself (same console), so here it is only not obeyed.
    """
    started: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            return
        if not started:  # handlers stand before the child does: no signal may end us and leave it alone
            early.append(number)
            return
        with suppress(OSError):
            started[0].send_signal(number)

    with _handlers(forward):
        try:
            process = subprocess.Popen(list(argv), env=dict(environ))
        except OSError as error:
            raise HostError(f"cannot start {argv[0]}: {error.strerror or error}") from error
        started.append(process)
        for number in early:
            process.send_signal(number)
        with process:
            return process.wait()


def ourselves() -> list[str]:
    """This program, ready for arguments: frozen, it is its own interpreter. `-P`: a folder called `agent` where the
    user happens to stand is not us."""
    return [sys.executable] if hasattr(sys, "frozen") else [sys.executable, "-P", "-m", "agent"]


def find_program(name: str, environ: Mapping[str, str]) -> str:
    """The absolute path of the program `name`, looked up on `environ`'s PATH unless it is a path. Raises HostError."""
    found = shutil.which(name, path=environ.get("PATH", os.defpath))
    if found is None:
        raise HostError(
            f"no program {name!r} was found", hint="Check the spelling, the PATH, and that it is installed."
        )
    return str(Path(found).absolute())


def outside_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` as programs other than ours must see it.

    A frozen program runs with LD_LIBRARY_PATH pointing into itself (PyInstaller keeps the user's value in
    LD_LIBRARY_PATH_ORIG); a child that inherits it loads our libraries and may crash.
    """
    outside = dict(environ)
    for name in ("LD_LIBRARY_PATH", "LIBPATH"):
        original = outside.pop(f"{name}_ORIG", None)
        if original is not None:
            outside[name] = original
        elif hasattr(sys, "_MEIPASS"):
            outside.pop(name, None)
    return outside


def own_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` as this very program must see it when it is started anew.

    Frozen, it is to find its libraries by itself, as at its first start: what its start-up code left in the environment
    says that they are found already, and `outside_environment` has taken away where.
    """
    outside = outside_environment(environ)
    return outside | ({"PYINSTALLER_RESET_ENVIRONMENT": "1"} if hasattr(sys, "frozen") else {})


class _Reader(threading.Thread):
    """Reads one stream to its end, keeps at most `limit` bytes, and ends the program where there are more."""

    def __init__(self, stream: IO[bytes], limit: int, overflow: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._limit = limit
        self._overflow = overflow
        self.overflowed = False
        self.data = b""
        self.start()

    def run(self) -> None:
        """Read until the end of the stream."""
        parts: list[bytes] = []
        size = 0
        with suppress(OSError, ValueError):  # the stream is closed under us when the program is ended
            while not self.overflowed and (chunk := self._stream.read(_CHUNK)):
                size += len(chunk)
                parts.append(chunk)
                self.overflowed = size > self._limit
        if self.overflowed:
            self._overflow()
        self.data = b"".join(parts)


def _converse(
    process: subprocess.Popen[bytes], program: str, stdin: bytes | None, timeout: float, limit: int
) -> Completed:
    assert process.stdout is not None  # asked for as pipes just before
    assert process.stderr is not None
    readers = [_Reader(stream, limit, lambda: _end(process)) for stream in (process.stdout, process.stderr)]
    writer = threading.Thread(target=_feed, args=(process.stdin, stdin), daemon=True)
    writer.start()
    try:
        code = process.wait(timeout)
    except subprocess.TimeoutExpired as error:
        raise HostError(f"{program} did not end within {timeout:g} seconds") from error
    finally:
        _end(process)  # a grandchild left behind would hold the pipes open
        for thread in (*readers, writer):
            thread.join(1)
    if any(reader.overflowed for reader in readers):
        raise HostError(f"{program} wrote more than {limit} bytes")
    return Completed(code=code, stdout=readers[0].data, stderr=readers[1].data)


def _feed(stream: IO[bytes] | None, data: bytes | None) -> None:
    if stream is not None and data is not None:
        with suppress(OSError, ValueError):  # it may end without reading everything
            stream.write(data)
            stream.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the program and whatever it left running in its session."""
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def _handlers(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
