"""Capture for real: an agent in a network of its own, a client that heeds no proxy setting, and a server outside.

Two network namespaces and the line between them are made for the test, and end with it; the machine's journal is hidden
behind an empty directory in the agent's mount namespace. Nothing of this machine's network is touched.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.prompts import made_up_key

TOOLS = ("nft", "ip", "unshare", "nsenter", "setpriv", "curl", "openssl")
SECRET = made_up_key()
HOME, OUTSIDE = "203.0.113.2", "203.0.113.1"
ROOT = Path(__file__).resolve().parents[2]


def _missing() -> str:
    if sys.platform != "linux":
        return "nftables is Linux's"
    if os.geteuid() != 0:
        return "needs root: it makes network namespaces"
    if absent := [each for each in TOOLS if shutil.which(each) is None]:
        return f"needs {', '.join(absent)}"
    made = subprocess.run(["unshare", "--net", "--mount", "nft", "list", "tables"], capture_output=True)
    return "" if made.returncode == 0 else "this kernel lets nobody make namespaces, or has no nftables"


pytestmark = pytest.mark.skipif(bool(_missing()), reason=_missing() or "never")

SERVER = """
import http.server, ssl, sys
class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        open(sys.argv[3], "ab").write(body + b"\\n")
        self.send_response(200); self.send_header("content-length", "2")
        self.send_header("content-type", "application/json"); self.end_headers(); self.wfile.write(b"{}")
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(sys.argv[1], sys.argv[2])
server = http.server.ThreadingHTTPServer(("0.0.0.0", 443), Echo)
server.socket = context.wrap_socket(server.socket, server_side=True); server.serve_forever()
"""


def until(what: Callable[[], bool], seconds: float = 40.0) -> bool:
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


class Laptop:
    """A machine with an agent, and the network outside it."""

    def __init__(self, directory: Path, held: ExitStack) -> None:
        self.directory, self._held = directory, held
        self.home = self._start(["unshare", "--net", "--mount", "sleep", "3600"])
        self.outside = self._start(["unshare", "--net", "sleep", "3600"])
        here = os.readlink("/proc/self/ns/net")
        for each in (self.home, self.outside):
            assert until(lambda pid=each.pid: os.readlink(f"/proc/{pid}/ns/net") != here)  # type: ignore[misc]
        self.run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/var/lib")
        self.run("ip", "link", "add", "up0", "type", "veth", "peer", "name", "down0")
        self.run("ip", "link", "set", "down0", "netns", str(self.outside.pid))
        for command in ("link set lo up", f"addr add {HOME}/24 dev up0", "link set up0 up"):
            self.run("ip", *command.split())
        self.run("ip", "route", "add", "default", "via", OUTSIDE)
        for command in ("link set lo up", f"addr add {OUTSIDE}/24 dev down0", "link set down0 up"):
            self.run("ip", *command.split(), where=self.outside)
        cert, key, self.seen = directory / "cert.pem", directory / "key.pem", directory / "seen"
        names = "subjectAltName=DNS:api.openai.com,DNS:other.example"
        request = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lab -addext {names}".split()
        subprocess.run([*request, "-keyout", key, "-out", cert], check=True, capture_output=True)
        self.cert = cert
        server = [sys.executable, "-c", SERVER, str(cert), str(key), str(self.seen)]
        self._start([*self._in(self.outside, net_only=True), *server])
        assert until(lambda: self.post("other.example", cert).returncode == 0)
        environ = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        self.environ = environ | {
            "HOME": str(directory),
            "PYTHONPATH": str(ROOT),
            "DRAWBRIDGE_CAPTURE": "transparent",
            "DRAWBRIDGE_UPSTREAM_CA_FILE": str(cert),
            "DRAWBRIDGE_RESOLVE": f"api.openai.com:443={OUTSIDE}:443",
            "DRAWBRIDGE_DASHBOARD_PORT": "0",
        }
        self.agent: subprocess.Popen[bytes] | None = None

    def supervise(self) -> None:
        command = [sys.executable, "-m", "agent", "supervise", "--state-dir", str(self.directory / "state")]
        self.agent = self._start([*self._in(self.home), *command], log=self.directory / "agent.log")
        assert until(lambda: self.captures), (self.directory / "agent.log").read_text()[-4000:]

    def _in(self, where: subprocess.Popen[bytes], *, net_only: bool = False) -> list[str]:
        return ["nsenter", "-t", str(where.pid), "-n", *([] if net_only else ["-m"])]

    def _start(self, command: list[str], log: Path | None = None) -> subprocess.Popen[bytes]:
        target = self._held.enter_context((log or Path(os.devnull)).open("ab"))
        environ = getattr(self, "environ", None)
        process = subprocess.Popen(command, stdout=target, stderr=target, env=environ)
        self._held.callback(process.wait)
        self._held.callback(process.kill)
        return process

    def run(
        self, *command: str, where: subprocess.Popen[bytes] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        inside = self._in(where or self.home, net_only=where is not None)
        return subprocess.run([*inside, *command], check=check, capture_output=True, text=True, timeout=30)

    def post(self, host: str, ca: Path) -> subprocess.CompletedProcess[str]:
        """As another user, who has no proxy settings; succeeds only where the certificate is of `ca`."""
        user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "env", "-i"]
        message = {"role": "user", "content": f"write to {SECRET}"}
        body = json.dumps({"model": "gpt-4o", "messages": [message]})
        roots = self.directory / "roots.pem"
        roots.write_bytes(ca.read_bytes())
        roots.chmod(0o644)
        curl = f"/usr/bin/curl -sS -m 10 --resolve {host}:443:{OUTSIDE} --cacert {roots}".split()
        curl += ["-H", "content-type: application/json", "-H", "authorization: Bearer sk-x", "-d", body]
        curl += ["-w", "%{http_code} %{time_appconnect}", f"https://{host}/v1/chat/completions"]
        return subprocess.run(
            [*self._in(self.home), *user, *curl], capture_output=True, text=True, timeout=30
        )

    @property
    def captures(self) -> bool:
        return self.run("nft", "list", "table", "inet", "drawbridge", check=False).returncode == 0

    @property
    def root(self) -> Path:
        return self.directory / "state" / "ca" / "root.pem"

    @property
    def log(self) -> str:
        return (self.directory / "agent.log").read_text()


@pytest.fixture
def laptop() -> Iterator[Laptop]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as held:
        Path(name).chmod(0o755)  # another user is to read the roots in it
        yield Laptop(Path(name), held)


def _root(laptop: Laptop) -> Path:
    from agent.host.paths import StatePaths

    return StatePaths.under(laptop.directory / "state").root_certificate


def test_programs_without_proxy_settings_are_captured(laptop: Laptop) -> None:
    laptop.supervise()
    laptop.seen.write_bytes(b"")
    answer = laptop.post("api.openai.com", _root(laptop))
    assert answer.returncode == 0, (answer.stderr, laptop.log[-3000:])
    assert b"write to" in laptop.seen.read_bytes()
    assert SECRET.encode() not in laptop.seen.read_bytes()
    other = laptop.post("other.example", laptop.cert)  # its own certificate: piped unread
    assert other.returncode == 0, other.stderr
    assert SECRET.encode() in laptop.seen.read_bytes()
    assert laptop.agent is not None
    laptop.agent.terminate()
    laptop.agent.wait(40)
    assert not laptop.captures
    assert laptop.post("api.openai.com", laptop.cert).returncode == 0


def test_a_killed_agent_leaves_nobody_offline(laptop: Laptop) -> None:
    laptop.supervise()
    assert laptop.agent is not None
    laptop.agent.kill()
    laptop.agent.wait()
    restore = [sys.executable, "-m", "agent", "restore", "--only-proxy"]
    environ = [f"{name}={value}" for name, value in laptop.environ.items()]
    done = laptop.run("env", "-i", *environ, *restore, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not laptop.captures
    assert laptop.post("other.example", laptop.cert).returncode == 0


def test_capture_that_another_tool_undoes_switches_itself_off(laptop: Laptop) -> None:
    laptop.supervise()
    laptop.run("nft", "delete", "table", "inet", "drawbridge")
    laptop.run(
        "ip", "link", "add", "vpn0", "type", "veth", "peer", "name", "vpn1"
    )  # the network changes: it looks at once
    assert until(lambda: "capture is switched off" in laptop.log), laptop.log[-3000:]
    assert not laptop.captures
    assert laptop.post("api.openai.com", laptop.cert).returncode == 0
