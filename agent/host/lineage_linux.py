"""Facts about one process from /proc (proc(5)). About 0.1 ms for everything, 0.02 for its birth."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path, PurePosixPath

from agent.host.lineage import Birth, Member
from agent.host.process_names import display_name, hosted
from agent.model.traffic import Program

_READ_LIMIT = 16 * 1024  # bytes of a command line, and of every other file
_NO_TICKS = 100  # USER_HZ of every Linux in use
# fields of /proc/N/stat behind the program's name, counted from the state (field 3)
_PARENT, _STARTED, _ARGUMENTS = 1, 19, 45


class ProcReader:
    """A `ProcessReader` of a /proc. Another user's processes say no more than their name without CAP_SYS_PTRACE."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = str(proc)
        self._ticks = _ticks()
        self._booted = self._boot_time()

    def birth(self, pid: int) -> Birth | None:
        """See `ProcessReader`."""
        # pid (name) state parent …: the name may hold anything, parentheses too
        fields = self._read(pid, "stat").rpartition(b")")[2].split()
        try:
            return Birth(
                parent=int(fields[_PARENT]),
                started=int(fields[_STARTED]) / self._ticks,
                # where its arguments lie: laid out anew, at random, for every program a process becomes
                image=fields[_ARGUMENTS].decode("ascii") if len(fields) > _ARGUMENTS else "",
            )
        except (IndexError, ValueError):
            return None

    def member(self, pid: int) -> Member | None:
        """See `ProcessReader`."""
        birth = self.birth(pid)
        if birth is None:
            return None
        link = self._link(pid, "exe")
        executable = link.removesuffix(" (deleted)")  # the kernel's word for a program replaced by an update
        arguments = [
            part.decode(errors="replace") for part in self._read(pid, "cmdline").split(b"\0") if part
        ]
        name = display_name(executable, arguments, self._read(pid, "comm").decode(errors="replace").strip())
        script, is_module = hosted(executable, arguments)
        if script and not is_module:
            script = self._script(pid, script)
        return Member(
            pid=pid,
            birth=birth,
            program=Program(name=name, executable=executable, script=script, is_module=is_module),
            sandbox=self._sandbox(pid, executable),
            genuine=self._genuine(pid, executable),
            started_at=self._booted + birth.started if self._booted else 0.0,
        )

    def _script(self, pid: int, script: str) -> str:
        """Its absolute path, behind symbolic links: `claude` on the PATH is one into a package."""
        if not script.startswith("/"):
            script = f"{self._link(pid, 'cwd')}/{script}"
        with suppress(OSError, ValueError):
            return os.path.realpath(script)
        return script

    def _genuine(self, pid: int, executable: str) -> bool:
        """In a mount namespace of its own, a process may have anything at that path; ours must be the same file."""
        try:
            runs, leads = os.stat(f"{self._proc}/{pid}/exe"), os.stat(executable)  # noqa: PTH116  a hot path
        except OSError:
            return False
        return (runs.st_dev, runs.st_ino) == (leads.st_dev, leads.st_ino)

    def _sandbox(self, pid: int, executable: str) -> str:
        if executable.startswith("/app/"):  # where a flatpak's own files are
            for line in self._read(pid, "root/.flatpak-info").decode(errors="replace").splitlines():
                if line.startswith("name="):
                    return f"flatpak:{line.removeprefix('name=').strip()}"
        return sandbox_of(self._read(pid, "cgroup").decode(errors="replace"))

    def _link(self, pid: int, name: str) -> str:
        with suppress(OSError):
            return os.readlink(f"{self._proc}/{pid}/{name}")  # noqa: PTH115  a hot path
        return ""

    def _read(self, pid: int, name: str) -> bytes:
        try:
            descriptor = os.open(f"{self._proc}/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            return os.read(descriptor, _READ_LIMIT)
        except OSError:
            return b""
        finally:
            os.close(descriptor)

    def _boot_time(self) -> float:
        """Unix seconds of the system's start, 0 where it does not say."""
        with suppress(OSError, ValueError, IndexError):
            for line in Path(self._proc, "stat").read_text(encoding="ascii").splitlines():
                if line.startswith("btime "):
                    return float(line.split()[1])
        return 0.0


def sandbox_of(cgroup: str) -> str:
    """What /proc/N/cgroup says of a process's sandbox: `snap:NAME`, `flatpak:ID` or `container:ID`, else empty.

    systemd's scopes are named `snap.code.code-<uuid>.scope` and `app-flatpak-<id>-<number>.scope`; container engines
    name them `docker-<64 hex>.scope`, `libpod-…`, `cri-containerd-…`, or have a directory of that id.
    """
    for line in cgroup.splitlines():
        for part in reversed(PurePosixPath(line.rpartition(":")[2]).parts):
            name = part.removesuffix(".scope").removesuffix(".service")
            if name.startswith("snap."):
                return f"snap:{name.split('.')[1]}"
            if name.startswith("app-flatpak-"):
                return f"flatpak:{name.removeprefix('app-flatpak-').rpartition('-')[0]}"
            number = name.rpartition("-")[2]
            if len(number) == 64 and not set(number) - set("0123456789abcdef"):
                return f"container:{number[:12]}"
    return ""


def _ticks() -> int:
    try:
        return os.sysconf("SC_CLK_TCK")
    except (AttributeError, OSError, ValueError):  # no such call on Windows
        return _NO_TICKS
