"""A machine with an agent in a network of its own, and the network outside it: for tests of what only root may change.

Two network namespaces and the line between them are made for a test, and end with it. The machine's state, its run
files and root's home are hidden in the agent's mount namespace, its configuration lies below a layer that goes with it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agent.host.paths import StatePaths
from tests.integration.prompts import made_up_key

TOOLS = ("nft", "ip", "unshare", "nsenter", "setpriv", "curl", "openssl")
SECRET = made_up_key()
HOME, OUTSIDE = "203.0.113.2", "203.0.113.1"
ROOT = Path(__file__).resolve().parents[2]
SERVICE = 64_000  # the service's user
PERSON = 65_534
STATE = Path("/var/lib/drawbridge")
RUN = Path("/run/drawbridge")


def missing() -> str:
    """What keeps such a machine from being made here; empty: nothing."""
    if sys.platform != "linux":
        return "nftables is Linux's"
    if os.geteuid() != 0:
        return "needs root: it makes network namespaces"
    if absent := [each for each in TOOLS if shutil.which(each) is None]:
        return f"needs {', '.join(absent)}"
    made = subprocess.run(["unshare", "--net", "--mount", "nft", "list", "tables"], capture_output=True)
    return "" if made.returncode == 0 else "this kernel lets nobody make namespaces, or has no nftables"


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
        self._hide()
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

    @property
    def root(self) -> Path:
        """The root certificate of its agent."""
        return StatePaths.under(self.directory / "state").root_certificate

    def supervise(self) -> None:
        command = [sys.executable, "-m", "agent", "supervise", "--state-dir", str(self.directory / "state")]
        self.agent = self._start([*self._in(self.home), *command], log=self.directory / "agent.log")
        assert until(lambda: self.captures), (self.directory / "agent.log").read_text()[-4000:]

    def _hide(self) -> None:
        """This machine's state. Where the interpreter lies in root's home, it is found there by all."""
        home = Path(sys.executable).resolve()
        inner = Path("/root", home.relative_to("/root").parts[0]) if home.is_relative_to("/root") else None
        if inner is not None:
            self.run("mount", "--bind", str(inner), "/mnt")
        for place in ("/var/lib", "/run", *(("/root",) if inner is not None else ())):
            self.run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", place)
        if inner is not None:
            self.run("mkdir", str(inner))
            self.run("mount", "--move", "/mnt", str(inner))
        for place in ("/etc", "/usr/local"):
            upper, work = f"/run/layers{place}/upper", f"/run/layers{place}/work"
            self.run("mkdir", "-p", upper, work)
            layers = f"lowerdir={place},upperdir={upper},workdir={work}"
            self.run("mount", "-t", "overlay", "-o", layers, "overlay", place)

    @contextmanager
    def installed(self, **settings: str) -> Iterator[None]:
        """The service as the packages install it: a user of its own, and root, who does what it asks for."""
        for place, mode in ((STATE, "0700"), (RUN, "0755")):
            owner = ["-o", str(SERVICE), "-g", str(SERVICE)]
            self.run("install", "-d", "-m", mode, *owner, str(place))
        self.environ |= {f"DRAWBRIDGE_{name.upper()}": value for name, value in settings.items()}
        rights = "+dac_read_search,+sys_ptrace"
        user = ["setpriv", "--reuid", str(SERVICE), "--regid", str(SERVICE), "--clear-groups"]
        user += ["--inh-caps", rights, "--ambient-caps", rights, "--bounding-set", f"-all,{rights}"]
        handed = ["env", f"STATE_DIRECTORY={STATE}", f"HOME={STATE}"]
        command = [sys.executable, "-m", "agent", "supervise"]
        log = self.directory / "agent.log"
        self.agent = self._start([*self._in(self.home), *user, *handed, *command], log=log)
        over = threading.Event()
        root = threading.Thread(target=self._root_obeys, args=(over,))
        root.start()
        try:
            yield
        finally:
            self.agent.terminate()
            self.agent.wait(40)
            over.set()
            root.join()
            self.drawbridge("restore", "--if-not-running", "--only-proxy")  # ExecStopPost

    def _root_obeys(self, over: threading.Event) -> None:
        """What drawbridge-setup.path and drawbridge-setup.service do."""
        request = STATE / "run" / "settings.request"
        while not over.wait(0.2):
            if self.has(str(request)):
                done = self.drawbridge("setup", "--requested", str(request))
                with (self.directory / "setup.log").open("a") as log:
                    log.write(done.stdout + done.stderr)

    def drawbridge(self, *arguments: str, user: int = 0) -> subprocess.CompletedProcess[str]:
        """A command, as root or somebody else."""
        environ = [f"{name}={value}" for name, value in self.environ.items() if not user or name != "HOME"]
        if user:  # whose settings are none of the service's
            environ = [each for each in environ if not each.startswith("DRAWBRIDGE_")] + ["HOME=/nonexistent"]
        become = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups"] if user else []
        command = [*self._in(self.home), *become, "env", "-i", *environ, sys.executable, "-m", "agent"]
        return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=120)

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

    def post(self, host: str, ca: Path, *, user: int = PERSON) -> subprocess.CompletedProcess[str]:
        """As a user who has no proxy settings; succeeds only where the certificate is of `ca`."""
        user = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups", "env", "-i"]
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

    def has(self, path: str) -> bool:
        """Whether there is such a file on it."""
        return self.run("test", "-e", path, check=False).returncode == 0

    @property
    def led(self) -> str:
        """What the service says of its settings."""
        told = self.run("cat", str(STATE / "run" / "settings.json"), check=False).stdout
        return str(json.loads(told)["state"]) if told else ""

    @property
    def engine(self) -> str:
        """The process id of the service's engine."""
        return str(json.loads(self.run("cat", str(STATE / "run" / "daemon.json")).stdout)["pid"])

    @property
    def log(self) -> str:
        return (self.directory / "agent.log").read_text()


@contextmanager
def made[L: Laptop](kind: type[L]) -> Iterator[L]:
    """A laptop of that kind, gone afterwards."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as held:
        Path(name).chmod(0o755)  # another user is to read the roots in it
        yield kind(Path(name), held)
