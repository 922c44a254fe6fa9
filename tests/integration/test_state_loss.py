"""A state directory that cannot be written any more, or is gone: what is served meanwhile, and how it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bench.kills import engine_of
from tests.integration.agent_process import AgentProcess, wait_until
from tests.integration.line import Line, NoTunnel, trusting, tunnel
from tests.integration.prompts import CHAT
from tests.integration.stage import Stage, dialling

SOON = 30.0
OPTIONS = ("--steady", "0.2", "--silence", "3")


def _can_freeze() -> bool:
    """Whether this is root on a file system with the immutable flag: what nobody may write, root included, as on a disk
    that the kernel has remounted read-only after an error."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("chattr") is None:
        return False
    with tempfile.TemporaryDirectory() as directory:
        try:
            with _frozen(Path(directory)):
                return True
        except subprocess.CalledProcessError:
            return False


@contextmanager
def _frozen(directory: Path) -> Iterator[None]:
    """The folders first: nothing comes or goes then, journals of a database neither. A socket has no flags."""
    folders = [str(each) for each in (directory, *directory.rglob("*")) if each.is_dir()]
    subprocess.run(["chattr", "+i", *folders], check=True, capture_output=True)
    files = [str(each) for each in directory.rglob("*") if each.is_file()]
    try:
        if files:
            subprocess.run(["chattr", "+i", *files], check=True, capture_output=True)
        yield
    finally:
        subprocess.run(["chattr", "-i", *folders, *files], check=True, capture_output=True)


def remove(agent: AgentProcess) -> None:
    """All at once: an agent that notices halfway begins anew among what is still being removed."""
    gone = agent.paths.root.rename(agent.directory / "gone")
    shutil.rmtree(gone)


needs_freezing = pytest.mark.skipif(not _can_freeze(), reason="needs root, and the immutable flag of ext4")


def serves(agent: AgentProcess) -> bool:
    """Whether a client that trusts the root is served, decrypted."""
    try:
        with dialling(agent) as dial:
            return dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body("hello")).status == 200
    except (OSError, NoTunnel):
        return False


def passes_unseen(agent: AgentProcess, stage: Stage) -> bool:
    """Whether a client meets the provider's own certificate."""
    with Line.secured(
        tunnel(agent.proxy_port, CHAT.host), trusting(stage.authority.ca_file), CHAT.host
    ) as line:
        return line.ask("POST", CHAT.target(), CHAT.body("hello")).status == 200


@needs_freezing
def test_one_that_becomes_read_only_ends_in_what_policy_says_and_the_chain_is_whole_after(
    stage: Stage, tmp_path: Path
) -> None:
    """SQLite's shared memory is a file: the kernel ends who writes to it there (SIGBUS), and no other engine starts."""
    with stage.agent(tmp_path, supervise=OPTIONS) as agent:
        assert serves(agent)
        with _frozen(agent.paths.root):
            serves(agent)  # or not: it is what has to be written
            wait_until(lambda: "the engine cannot run" in agent.log, "a crash loop", seconds=2 * SOON)
            assert passes_unseen(agent, stage)
        agent.signal(signal.SIGHUP)  # mended, and told so
        wait_until(lambda: serves(agent), "the agent to serve", seconds=SOON)
        assert agent.trail.verify().ok
        assert "Traceback" not in agent.log


@needs_freezing
@pytest.mark.parametrize("supervise", [None, OPTIONS], ids=["alone", "supervised"])
def test_a_start_without_anywhere_to_write_says_so(
    stage: Stage, tmp_path: Path, supervise: tuple[str, ...] | None
) -> None:
    agent = stage.agent(tmp_path, supervise=supervise)
    with agent:
        assert serves(agent)
    before = agent.log
    with _frozen(agent.paths.root):
        process = agent.launch()
        assert process.wait(SOON) == 1
    agent.kill()
    said = agent.log.removeprefix(before)
    assert "error: cannot open the lock" in said
    assert "Traceback" not in said


def test_a_removed_directory_is_noticed_and_its_root_put_back(stage: Stage, tmp_path: Path) -> None:
    with stage.agent(tmp_path, supervise=OPTIONS) as agent:
        assert serves(agent)
        first, root = engine_of(agent), agent.ca_file.read_bytes()
        remove(agent)
        wait_until(lambda: engine_of(agent) not in (0, first), "another engine", seconds=SOON)
        assert agent.ca_file.read_bytes() == root
        assert agent.paths.root_key.stat().st_mode & 0o777 == 0o600
        wait_until(lambda: serves(agent), "the agent to serve", seconds=SOON)
        [event] = agent.trail.events(kind="audit.truncated")
        assert "the one before it reached event" in agent.event_text(event)
        second = engine_of(agent)
        agent.paths.spool.unlink()  # of the new one, the trail alone
        wait_until(lambda: engine_of(agent) not in (0, second), "a third engine", seconds=SOON)
        assert agent.ca_file.read_bytes() == root
        assert "Traceback" not in agent.log


def test_without_a_supervisor_it_goes_on_and_says_what_to_do(stage: Stage, tmp_path: Path) -> None:
    with stage.agent(tmp_path) as agent:
        assert serves(agent)
        root = agent.ca_file.read_bytes()
        remove(agent)
        wait_until(lambda: "until the agent is started again" in agent.log, "it to be noticed", seconds=SOON)
        agent.paths.root_certificate.read_bytes()
        assert serves(agent)
    with agent:
        assert agent.ca_file.read_bytes() == root
        assert serves(agent)
