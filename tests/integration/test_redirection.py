"""Single programs captured for real, by the redirector that mitmproxy brings (eBPF): the same laptop as in the tests of
the other capture, with a curl under a name of its own, so that no other program of this machine is led anywhere.
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.laptop import SECRET, Laptop, made, missing, until


def _absent() -> str:
    if absent := missing():
        return absent
    if shutil.which("sudo") is None:
        return "needs sudo: the redirector of Linux starts itself by it"
    mounted = "mount -t cgroup2 none /sys/fs/cgroup"
    made = subprocess.run(["unshare", "--mount", "sh", "-c", mounted], capture_output=True)
    return "" if made.returncode == 0 else "this kernel has no control groups of the second kind"


pytestmark = pytest.mark.skipif(bool(_absent()), reason=_absent() or "never")


class Redirecting(Laptop):
    """A laptop on which one program is captured."""

    def __init__(self, directory: Path, held: ExitStack) -> None:
        super().__init__(directory, held)
        self.run("mount", "-t", "cgroup2", "none", "/sys/fs/cgroup")
        self.program = directory / f"cu{secrets.token_hex(4)}"
        shutil.copy2(shutil.which("curl") or "", self.program)
        self.environ |= {
            "DRAWBRIDGE_CAPTURE": "programs",
            "DRAWBRIDGE_CAPTURE_PROGRAMS": f"{self.program.name},{self.program.name}p",
        }

    def supervise(self) -> None:
        command = [sys.executable, "-m", "agent", "supervise", "--state-dir", str(self.directory / "state")]
        self.agent = self._start([*self._in(self.home), *command], log=self.directory / "agent.log")
        assert until(lambda: "are led here" in self.log), self.log[-4000:]

    def ask(self, host: str, ca: Path) -> subprocess.CompletedProcess[str]:
        """The captured program asks; succeeds only where the certificate is of `ca`."""
        message = {"role": "user", "content": f"write to {SECRET}"}
        body = json.dumps({"model": "gpt-4o", "messages": [message]})
        where = f"--resolve {host}:443:203.0.113.1 --cacert {ca} https://{host}/v1/chat/completions"
        command = [str(self.program), "-sS", "-m", "15", "-d", body, *where.split()]
        command += ["-H", "content-type: application/json", "-H", "authorization: Bearer sk-x"]
        return subprocess.run(
            [*self._in(self.home), "env", "-i", *command], capture_output=True, text=True, timeout=30
        )

    def tell(self, *arguments: str) -> str:
        """What a command about this agent prints."""
        environ = {name: self.environ[name] for name in ("PATH", "PYTHONPATH", "HOME")}
        command = [sys.executable, "-m", "agent", *arguments, "--state-dir", str(self.directory / "state")]
        return subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def laptop() -> Iterator[Redirecting]:
    with made(Redirecting) as laptop:
        yield laptop


def test_one_program_is_captured_and_no_other(laptop: Redirecting) -> None:
    laptop.supervise()
    laptop.seen.write_bytes(b"")
    answer = laptop.ask("api.openai.com", laptop.root)
    assert answer.returncode == 0, (answer.stderr, laptop.log[-3000:])
    assert b"write to" in laptop.seen.read_bytes()
    assert SECRET.encode() not in laptop.seen.read_bytes()
    other = laptop.ask("other.example", laptop.cert)  # its own certificate: piped unread
    assert other.returncode == 0, other.stderr
    assert SECRET.encode() in laptop.seen.read_bytes()
    assert laptop.post("api.openai.com", laptop.cert).returncode == 0  # another program goes its own way
    assert laptop.agent is not None
    laptop.agent.terminate()
    laptop.agent.wait(40)
    assert laptop.ask("api.openai.com", laptop.cert).returncode == 0


def test_who_asks_is_known(laptop: Redirecting) -> None:
    laptop.supervise()
    assert laptop.ask("api.openai.com", laptop.root).returncode == 0
    listed = json.loads(laptop.tell("audit", "list", "--json"))
    asked = next(each for each in listed if each["host"] == "api.openai.com")
    assert laptop.program.name in laptop.tell("audit", "show", asked["id"])


ECHO = (
    "import socket, sys\ns = socket.socket(type=socket.SOCK_DGRAM); s.bind(('', int(sys.argv[1])))\n"
    "while True:\n data, peer = s.recvfrom(999); s.sendto(data.upper(), peer)"
)
QUESTION = (
    "import socket, sys\ns = socket.socket(type=socket.SOCK_DGRAM); s.settimeout(1)\nfor n in range(5):\n"
    " s.sendto(b'who is it', ('203.0.113.1', int(sys.argv[1])))\n"
    " try: print(s.recv(99)); break\n except TimeoutError: pass"
)


def test_its_datagrams_pass_but_for_quic(laptop: Redirecting) -> None:
    """Questions to name servers are among them; over QUIC nobody could judge what is asked."""
    for port in ("5353", "443"):
        laptop._start([*laptop._in(laptop.outside, net_only=True), sys.executable, "-c", ECHO, port])
    asking = laptop.directory / f"{laptop.program.name}p"
    asking.symlink_to(sys.executable)
    assert "WHO IS IT" in laptop.run(str(asking), "-c", QUESTION, "443").stdout
    laptop.supervise()
    assert "WHO IS IT" in laptop.run(str(asking), "-c", QUESTION, "5353").stdout
    assert not laptop.run(str(asking), "-c", QUESTION, "443").stdout


def test_a_killed_agent_leaves_nobody_offline(laptop: Redirecting) -> None:
    laptop.supervise()
    assert laptop.agent is not None
    laptop.agent.kill()
    laptop.agent.wait()
    assert until(lambda: laptop.ask("api.openai.com", laptop.cert).returncode == 0)
