"""Facts about a process from a /proc, made up and real."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.host.lineage import Lineage
from agent.host.lineage_linux import ProcReader, sandbox_of

SHA = "0123456789abcdef" * 4


class Proc:
    """A directory that looks like /proc."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "stat").write_text("cpu 1 2 3\nbtime 1700000000\n")

    def add(
        self,
        pid: int,
        *,
        name: str = "x",
        parent: int = 1,
        ticks: int = 100,
        exe: str = "",
        arguments: tuple[str, ...] = (),
        cgroup: str = "0::/user.slice\n",
    ) -> None:
        folder = self.root / str(pid)
        folder.mkdir()
        rest = " ".join(["0"] * 17)
        (folder / "stat").write_text(f"{pid} ({name}) S {parent} {rest} {ticks} 0 0\n")
        (folder / "comm").write_text(f"{name}\n")
        (folder / "cmdline").write_bytes(b"".join(each.encode() + b"\0" for each in arguments))
        (folder / "cgroup").write_text(cgroup)
        (folder / "cwd").symlink_to(self.root)
        if exe:
            (folder / "exe").symlink_to(exe)


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    root = tmp_path / "proc"
    root.mkdir()
    return Proc(root)


def test_a_line_is_read_with_names_and_times(proc: Proc, tmp_path: Path) -> None:
    program = tmp_path / "claude"
    program.touch()
    proc.add(10, name="systemd", parent=0, ticks=0)
    proc.add(20, name="code (x) y", parent=10, ticks=100, exe="/usr/share/code/code")
    proc.add(30, name="claude", parent=20, ticks=200, exe=str(program))
    line = Lineage(ProcReader(proc.root)).of(30)
    assert [each.program.name for each in line] == ["claude", "code", "systemd"]
    ticks = os.sysconf("SC_CLK_TCK")
    assert line[0].started_at == 1_700_000_000 + 200 / ticks
    assert line[0].genuine
    assert not line[1].genuine, "nothing is at that path here"


def test_a_script_is_followed_to_its_package(proc: Proc, tmp_path: Path) -> None:
    package = tmp_path / "lib/node_modules/@anthropic-ai/claude-code"
    package.mkdir(parents=True)
    (package / "cli.js").touch()
    (tmp_path / "claude").symlink_to(package / "cli.js")
    proc.add(10, name="node", exe="/usr/bin/node", arguments=("node", str(tmp_path / "claude")))
    proc.add(11, name="node", exe="/usr/bin/node", arguments=("node", "../claude"))
    proc.add(12, name="python3", exe="/usr/bin/python3.13", arguments=("python3", "-m", "aider", "--yes"))
    reader = ProcReader(proc.root)
    for pid in (10, 11):
        found = reader.member(pid)
        assert found is not None
        assert found.program.script == str(package / "cli.js")
        assert not found.program.is_module
    found = reader.member(12)
    assert found is not None
    assert (found.program.script, found.program.is_module) == ("aider", True)


def test_arguments_beside_the_script_are_not_kept(proc: Proc) -> None:
    secret = "sk-" + "very-secret"
    proc.add(10, name="node", exe="/usr/bin/node", arguments=("node", "cli.js", "--api-key", secret))
    assert secret not in repr(ProcReader(proc.root).member(10))


@pytest.mark.parametrize(
    ("cgroup", "sandbox"),
    [
        (
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/snap.code.code-12ab.scope\n",
            "snap:code",
        ),
        (
            "0::/user.slice/app.slice/app-flatpak-com.visualstudio.code-4711.scope\n",
            "flatpak:com.visualstudio.code",
        ),
        (f"0::/system.slice/docker-{SHA}.scope\n", f"container:{SHA[:12]}"),
        (f"12:memory:/docker/{SHA}\n", f"container:{SHA[:12]}"),
        (f"0::/machine.slice/libpod-{SHA}.scope/container\n", f"container:{SHA[:12]}"),
        ("0::/user.slice/user-1000.slice/session-2.scope\n", ""),
        ("", ""),
    ],
)
def test_a_cgroup_names_the_sandbox(cgroup: str, sandbox: str) -> None:
    assert sandbox_of(cgroup) == sandbox


@given(st.text())
def test_no_cgroup_is_too_strange(text: str) -> None:
    sandbox_of(text)


def test_a_flatpak_says_its_id_itself(proc: Proc) -> None:
    proc.add(10, exe="/app/bin/zed")
    (proc.root / "10/root").mkdir()
    (proc.root / "10/root/.flatpak-info").write_text("[Application]\nname=dev.zed.Zed\nruntime=x\n")
    found = ProcReader(proc.root).member(10)
    assert found is not None
    assert found.sandbox == "flatpak:dev.zed.Zed"


@pytest.mark.parametrize("stat", [b"", b"nonsense", b"1 (x) S", b"1 (x) S a b c"])
def test_a_stat_that_is_none_is_no_process(proc: Proc, stat: bytes) -> None:
    proc.add(10)
    (proc.root / "10/stat").write_bytes(stat)
    assert ProcReader(proc.root).birth(10) is None
    assert ProcReader(proc.root).member(10) is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads the real /proc")
def test_a_process_that_becomes_another_program_is_noticed() -> None:
    script = "import os, sys; sys.stdin.readline(); os.execv('/bin/cat', ['cat'])"
    lineage = Lineage(ProcReader())
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as child:
        assert child.stdin is not None
        names = {lineage.of(child.pid)[0].program.name}
        child.stdin.write(b"now\n")
        child.stdin.flush()
        deadline = time.monotonic() + 20
        while "cat" not in names and time.monotonic() < deadline:
            names.add(lineage.of(child.pid)[0].program.name)
        child.stdin.close()
    assert names >= {"cat"}
    assert len(names) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="reads the real /proc")
def test_this_process_descends_from_its_parent() -> None:
    line = Lineage(ProcReader()).of(os.getpid())
    assert [each.pid for each in line[:2]] == [os.getpid(), os.getppid()]
    assert line[0].genuine
    assert line[0].program.executable == os.path.realpath(sys.executable)
