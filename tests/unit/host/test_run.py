"""Programs are started without a shell and do not outlive, outwait or outtalk us."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from agent.errors import HostError
from agent.host.run import (
    Child,
    Companion,
    Servant,
    attend,
    find_program,
    outside_environment,
    own_environment,
    renew,
    run,
)

SHELL = "/bin/sh"


def test_a_program_answers_with_its_code_and_output() -> None:
    done = run([SHELL, "-c", "cat; echo bad >&2; exit 3"], timeout=5, stdin=b"good")
    assert (done.code, done.stdout, done.stderr) == (3, b"good", b"bad\n")


def test_arguments_reach_the_program_unseen_by_any_shell() -> None:
    assert run(["echo", "$HOME; `id`"], timeout=5).stdout == b"$HOME; `id`\n"


def test_without_input_a_program_reads_the_end_at_once() -> None:
    assert run(["cat"], timeout=5).stdout == b""


def test_a_program_that_ignores_its_input_is_no_error() -> None:
    assert run(["true"], timeout=5, stdin=b"x" * 1_000_000).code == 0


def test_a_program_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(HostError, match="did not end within"):
        run([SHELL, "-c", f"sleep 30 & echo $! > {tmp_path}/pid; wait"], timeout=0.2)
    assert time.monotonic() - started < 5
    child = int((tmp_path / "pid").read_text())
    for _ in range(100):
        # a killed orphan may stay a zombie where nothing reaps it
        status = Path(f"/proc/{child}/stat")
        if not status.exists() or status.read_text().split()[2] == "Z":
            return
        time.sleep(0.01)
    pytest.fail("the child still runs")


def test_a_child_left_behind_does_not_hold_the_answer_up() -> None:
    started = time.monotonic()
    assert run([SHELL, "-c", "sleep 30 & echo done"], timeout=10).stdout == b"done\n"
    assert time.monotonic() - started < 5


def test_endless_output_ends_the_program() -> None:
    with pytest.raises(HostError, match="more than 1000 bytes"):
        run(["yes"], timeout=10, limit=1000)


def test_a_missing_program_is_named() -> None:
    with pytest.raises(HostError, match="'no-such-program-here'"):
        run(["no-such-program-here"], timeout=1)


def test_a_program_is_looked_up_on_the_given_path(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("#!/bin/sh\n")
    (tmp_path / "tool").chmod(0o755)
    assert find_program("tool", {"PATH": str(tmp_path)}) == str(tmp_path / "tool")


def test_a_frozen_program_hides_its_libraries_from_children(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = {"LD_LIBRARY_PATH": "/frozen", "LD_LIBRARY_PATH_ORIG": "/theirs", "A": "b"}
    assert outside_environment(frozen) == {"LD_LIBRARY_PATH": "/theirs", "A": "b"}
    assert outside_environment({"LD_LIBRARY_PATH": "/theirs"}) == {"LD_LIBRARY_PATH": "/theirs"}
    monkeypatch.setattr("sys._MEIPASS", "/frozen", raising=False)
    assert outside_environment({"LD_LIBRARY_PATH": "/frozen"}) == {}


def test_a_frozen_program_that_is_started_anew_finds_its_libraries_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert own_environment({"A": "b"}) == {"A": "b"}
    monkeypatch.setattr("sys._MEIPASS", "/frozen", raising=False)
    monkeypatch.setattr("sys.frozen", True, raising=False)
    own = own_environment({"LD_LIBRARY_PATH": "/frozen", "A": "b"})
    assert own == {"A": "b", "PYINSTALLER_RESET_ENVIRONMENT": "1"}


def test_attending_gives_the_code_and_the_environment_of_the_command() -> None:
    assert attend([SHELL, "-c", "exit $CODE"], {"CODE": "7"}) == 7


def test_attending_hands_a_signal_to_end_on_to_the_command() -> None:
    before = signal.getsignal(signal.SIGTERM)
    code = attend([SHELL, "-c", "trap 'exit 9' TERM; kill -TERM $PPID; sleep 5 & wait $!"], dict(os.environ))
    assert code == 9
    assert signal.getsignal(signal.SIGTERM) is before


def test_replacing_becomes_the_command_with_its_environment() -> None:
    environ = {"PATH": "/bin", "WORD": "x"}
    code = f"from agent.host.run import replace; replace(['sh', '-c', 'echo $$ $WORD'], {environ})"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        output, _ = process.communicate(timeout=20)
    assert output == f"{process.pid} x\n"


def test_a_companion_runs_beside_us_and_ends_when_asked(tmp_path: Path) -> None:
    output = tmp_path / "output"
    with Companion(
        [SHELL, "-c", "trap 'exit 3' TERM; echo $GREETING; while :; do sleep 0.01; done"],
        {**os.environ, "GREETING": "hello"},
        output=output,
    ) as companion:
        while output.read_bytes() != b"hello\n":
            time.sleep(0.01)
        assert companion.code is None
        assert companion.stop(5) == companion.code == 3


def test_a_companion_that_does_not_listen_is_ended_all_the_same(tmp_path: Path) -> None:
    output = tmp_path / "output"
    with Companion(
        [SHELL, "-c", "trap '' TERM; echo deaf; while :; do sleep 0.01; done"], os.environ, output=output
    ) as companion:
        while not output.read_bytes():
            time.sleep(0.01)
        assert companion.stop(0.05) == -signal.SIGKILL


def test_leaving_the_block_ends_a_companion_whatever_happened(tmp_path: Path) -> None:
    companion = Companion(["sleep", "60"], os.environ, output=tmp_path / "output")
    with pytest.raises(ZeroDivisionError), companion:
        raise ZeroDivisionError
    assert companion.code == -signal.SIGTERM


def test_a_companion_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="no program"):
        Companion(["no-such-program"], os.environ, output=tmp_path / "output")


def test_a_child_is_this_very_program_and_gets_what_it_inherits(capfd: pytest.CaptureFixture[str]) -> None:
    reading, writing = os.pipe()
    try:
        child = Child(["--version"], inherit=(writing,))
        deadline = time.monotonic() + 20
        while child.code is None and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        os.close(reading)
        os.close(writing)
    assert child.code == 0
    child.signal(signal.SIGTERM)  # it is gone: nothing happens
    assert capfd.readouterr().out.startswith("drawbridge ")


def test_a_servant_is_spoken_to_over_pipes_and_has_none_of_our_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("A_KEY_OF_OURS", "secret")
    servant = Servant(["--version"])
    try:
        assert "A_KEY_OF_OURS" not in psutil.Process(servant.pid).environ()
        assert servant.answers.read().startswith(b"drawbridge ")
    finally:
        servant.close()
    assert servant.code is not None
    servant.kill()  # it is gone: nothing happens


def test_closing_a_servant_ends_it_whatever_it_does() -> None:
    servant = Servant(["extraction-worker"])
    servant.close()
    assert servant.code is not None
    assert servant.asks.closed
    assert servant.answers.closed


@pytest.mark.skipif(sys.platform == "win32", reason="there a process becomes no other")
def test_a_program_becomes_itself_anew_with_what_it_keeps() -> None:
    script = (
        "import os, socket, sys\n"
        "from agent.host.run import renew\n"
        "kept = socket.socket()\n"
        "print(os.getpid(), flush=True)\n"
        "renew(['--version'], keep=[kept.fileno()], environ=os.environ)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith("drawbridge ")


def test_a_program_that_cannot_be_started_anew_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr("os.execve", refuse)
    with socket.socket() as kept:
        with pytest.raises(HostError, match="anew: No such file"):
            renew(["supervise"], keep=[kept.fileno()], environ={})
        assert not kept.get_inheritable()
