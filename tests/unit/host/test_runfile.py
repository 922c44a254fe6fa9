"""One daemon per state directory; a run file counts while its daemon lives."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.paths import StatePaths
from agent.host.runfile import RunFile, StateLock, control_token, read_runfile, write_runfile

DAEMON = """
import os, sys
from pathlib import Path
from agent.host.paths import StatePaths
from agent.host.runfile import RunFile, StateLock, write_runfile
paths = StatePaths.under(Path(sys.argv[1]))
with StateLock(paths):
    write_runfile(paths, RunFile(pid=os.getpid(), proxy_port=1, gateway_port=2, started_at=3.5,
                                 state_dir=sys.argv[1], ca_path="/ca.pem", version="0"))
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()
    return paths


def runfile(pid: int) -> RunFile:
    return RunFile(
        pid=pid, proxy_port=1, gateway_port=2, started_at=3.5, state_dir="/s", ca_path="/ca.pem", version="0"
    )


def test_a_running_daemon_is_found(paths: StatePaths) -> None:
    with StateLock(paths):
        assert read_runfile(paths) is None
        write_runfile(paths, runfile(os.getpid()))
        assert read_runfile(paths) == runfile(os.getpid())
        assert stat.S_IMODE(paths.runfile.stat().st_mode) == 0o600
    assert not paths.runfile.exists()
    assert read_runfile(paths) is None


def test_another_process_is_kept_out_and_told_whose_the_directory_is(paths: StatePaths) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", DAEMON, str(paths.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == b"ready\n"
        found = read_runfile(paths)
        assert found is not None
        assert found.pid == daemon.pid
        with pytest.raises(HostError, match=f"another daemon \\(pid {daemon.pid}\\)"), StateLock(paths):
            pytest.fail("two daemons")
        daemon.kill()
    assert paths.runfile.exists()  # a crash leaves it
    assert read_runfile(paths) is None
    with StateLock(paths):
        assert not paths.runfile.exists()


def test_asking_whether_a_daemon_runs_does_not_keep_one_from_starting(paths: StatePaths) -> None:
    with StateLock(paths):
        write_runfile(paths, runfile(os.getpid()))
    with StateLock(paths):
        pass


def test_a_reused_pid_does_not_pass_for_a_daemon(paths: StatePaths) -> None:
    write_runfile(paths, runfile(os.getpid()))  # alive, and holds no lock
    assert read_runfile(paths) is None


def test_a_dead_pid_does_not_pass_for_a_daemon(paths: StatePaths) -> None:
    with StateLock(paths):
        write_runfile(paths, runfile(2**22 + 1))
        assert read_runfile(paths) is None


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"{}", json.dumps({"pid": "1"}).encode(), b'{"unknown": 1}'],
)
def test_a_malformed_run_file_is_none(paths: StatePaths, damage: bytes) -> None:
    with StateLock(paths):
        write_runfile(paths, runfile(os.getpid()))
        paths.runfile.write_bytes(damage)
        assert read_runfile(paths) is None


def test_a_field_of_the_wrong_kind_is_malformed(paths: StatePaths) -> None:
    with StateLock(paths):
        write_runfile(paths, runfile(os.getpid()))
        document = json.loads(paths.runfile.read_bytes())
        for wrong in ({"proxy_port": "1"}, {"pid": True}, {"pid": -1}, {"version": 1}, {"started_at": None}):
            paths.runfile.write_text(json.dumps(document | wrong))
            assert read_runfile(paths) is None


def test_the_lock_can_be_left_twice_and_taken_again(paths: StatePaths) -> None:
    lock = StateLock(paths)
    with lock:
        pass
    lock.__exit__(None, None, None)
    with lock:
        pass


def test_the_control_token_is_private_random_and_kept(paths: StatePaths, tmp_path: Path) -> None:
    token = control_token(paths)
    assert len(bytes.fromhex(token)) == 32
    assert control_token(paths) == token
    assert stat.S_IMODE(paths.control_token.stat().st_mode) == 0o600
    other = StatePaths.under(tmp_path / "other")
    other.prepare()
    assert control_token(other) != token


@pytest.mark.parametrize("damage", ["", "short", "Z" * 64])
def test_a_damaged_control_token_is_made_anew(paths: StatePaths, damage: str) -> None:
    control_token(paths)
    paths.control_token.write_text(damage)
    token = control_token(paths)
    assert len(token) == 64
    assert control_token(paths) == token


def test_a_control_token_that_others_may_read_is_refused(paths: StatePaths) -> None:
    control_token(paths)
    paths.control_token.chmod(0o644)
    with pytest.raises(HostError, match="other users"):
        control_token(paths)


def test_what_a_newer_daemon_says_besides_is_passed_over(paths: StatePaths) -> None:
    with StateLock(paths):
        write_runfile(paths, runfile(os.getpid()))
        document = json.loads(paths.runfile.read_bytes())
        paths.runfile.write_text(json.dumps({**document, "novelty": 1}))
        assert read_runfile(paths) == runfile(os.getpid())
