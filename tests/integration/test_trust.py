"""What signs is changed for another while the agent runs: by a rotation, or for a company's intermediate. Clients that
trust one root, the other, or both, see what they should, and nobody is refused for it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from tests.fakes.pki import CompanyPki, pem
from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.prompts import CHAT, made_up_key
from tests.integration.stage import Dial, Stage, dialling
from tests.integration.test_reload import replace
from tests.integration.test_stop import Reading, slow_stream

POLICY = """\
schema_version: 1
id: {name}
revision: {revision}
client_distrust: {{action: refuse}}
guardrails:
  - {{id: secrets, detect: [secret], action: redact}}
"""
WIDER = """\
catalog:
  - id: house-llm
    name: The house's own
    provider: house
    hosts: [intranet.example]
    endpoints: [{path: /v1/chat/completions, dialect: openai-chat}]
"""


@pytest.fixture
def agent(stage: Stage, tmp_path: Path) -> Iterator[AgentProcess]:
    """An agent of its own, which never lets a program that distrusts it pass."""
    with stage.agent(tmp_path, policy=POLICY.format(name="first", revision=1)) as agent:
        yield agent


@pytest.fixture
def dial(agent: AgentProcess) -> Iterator[Dial]:
    with dialling(agent) as dial:
        yield dial


def command(agent: AgentProcess, *words: str) -> str:
    """What a command says that succeeds."""
    done = agent.drawbridge(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def accepts(dial: Dial, root: Path, host: str = CHAT.host) -> bool:
    """Whether a client that trusts `root` alone accepts what it is shown for the host."""
    try:
        line = dial(host, root=root)
    except ssl.SSLCertVerificationError:
        return False
    return line.ask("POST", CHAT.target(), CHAT.body("hello")).status == 200


class Asking:
    """A client that trusts what `drawbridge exec` gives to programs, and asks without a pause."""

    def __init__(self, agent: AgentProcess, roots: Path) -> None:
        self._agent = agent
        self._roots = roots
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.answers = 0
        self.failures: list[str] = []
        self._thread.start()

    def _run(self) -> None:
        while not self._enough.is_set():
            try:
                with dialling(self._agent) as dial:
                    answer = dial(CHAT.host, root=self._roots).ask("POST", CHAT.target(), CHAT.body("hello"))
            except OSError as error:
                self.failures.append(str(error))
            else:
                self.answers += answer.status == 200

    def end(self) -> None:
        self._enough.set()
        self._thread.join()


def test_a_rotation_refuses_nobody_who_trusts_both_roots(
    agent: AgentProcess, dial: Dial, provider: Provider, tmp_path: Path
) -> None:
    old, new, both = tmp_path / "old.pem", tmp_path / "new.pem", tmp_path / "both.pem"
    old.write_bytes(agent.ca_file.read_bytes())

    assert "signs nothing before" in command(agent, "ca", "rotate")
    new.write_bytes(agent.paths.next_certificate.read_bytes())
    extra = agent.environment()["NODE_EXTRA_CA_CERTS"]
    both.write_bytes(Path(extra).read_bytes())
    assert old.read_bytes() in both.read_bytes()
    assert new.read_bytes() in both.read_bytes()
    assert (accepts(dial, old), accepts(dial, new), accepts(dial, both)) == (True, False, True)

    words = ("one ", *("more " for _ in range(12)), "end")
    provider.script(CHAT.target(), slow_stream(*words, pause=0.1), times=1)
    line = dial(CHAT.host, root=old)
    known = len(provider.requests)
    line.request("POST", CHAT.target(), CHAT.body("go on", stream=True))
    provider.wait_for_requests(known + 1)
    running, asking = Reading(line), Asking(agent, both)
    reissued = len(agent.trail.events(kind="ca_reissued"))
    assert "signs from now on" in command(agent, "ca", "rotate", "--now")
    agent.wait_for_events("ca_reissued", reissued + 1, seconds=20)
    assert CHAT.streamed(running.result().body) == "".join(
        words
    )  # what was running goes on under the old root
    asking.end()
    assert asking.failures == []
    assert asking.answers > 0
    assert (accepts(dial, old), accepts(dial, new), accepts(dial, both)) == (False, True, True)

    command(agent, "ca", "rotate", "--finish")
    assert agent.paths.roots.read_bytes() == new.read_bytes()
    agent.stop()
    agent.start()
    assert (accepts(dial, old), accepts(dial, new)) == (False, True)


def test_a_companys_intermediate_signs_and_what_it_does_not_permit_is_tunnelled(
    agent: AgentProcess, stage: Stage, dial: Dial, provider: Provider, tmp_path: Path
) -> None:
    pki = CompanyPki()
    root, device, file, chain = (
        tmp_path / name for name in ("root.pem", "device.pem", "issued.pem", "chain.pem")
    )
    root.write_bytes(pem(pki.root))
    device.write_bytes(agent.ca_file.read_bytes())
    chain.write_bytes(pem(pki.issuer, pki.root))
    policy = ("--policy", str(agent.directory / "policy.yaml"))

    def import_anew() -> None:
        reissued = len(agent.trail.events(kind="ca_reissued"))
        request = x509.load_pem_x509_csr(command(agent, "ca", "csr", *policy).encode())
        file.write_bytes(pem(pki.sign(request)))
        done = agent.drawbridge("ca", "import", "--chain", str(chain), *policy, str(file))
        assert done.returncode == 0, done.stdout + done.stderr
        agent.wait_for_events("ca_reissued", reissued + 1, seconds=20)

    import_anew()
    assert (accepts(dial, root), accepts(dial, device)) == (True, False)
    secret = made_up_key()
    assert dial(CHAT.host, root=root).ask("POST", CHAT.target(), CHAT.body(secret)).status == 200
    assert not provider.saw(secret)

    # the catalog gains a host that the intermediate does not permit
    replace(agent, POLICY.format(name="wider", revision=2) + WIDER)
    (told,) = agent.wait_for_events("ca_warning")
    assert "intranet.example" in agent.event_text(told)
    with dialling(agent) as other:
        line = other("intranet.example", root=stage.authority.ca_file)  # the host's own certificate
        assert line.ask("POST", CHAT.target(), CHAT.body("hello")).status == 200
        agent.wait_for_events("bypass")
    assert not accepts(dial, root, "intranet.example")
    assert accepts(dial, root)  # the others go on

    import_anew()
    assert accepts(dial, root, "intranet.example")
    assert not accepts(dial, stage.authority.ca_file, "intranet.example")
    agent.stop()
    agent.start()
    assert (accepts(dial, root), accepts(dial, device)) == (True, False)
