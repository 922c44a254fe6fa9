"""Fixtures: the site, an agent that redacts and one that blocks before it, and a browser behind each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.browser import chromium, trust
from tests.browser.chromium import Chromium, Page
from tests.browser.site import HOSTS, site
from tests.fakes.provider import Provider
from tests.fakes.tls import Authority
from tests.integration.agent_process import AgentProcess
from tests.integration.conftest import BLOCKING

type Open = Callable[[str], Page]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who vouches for the site."""
    return Authority(tmp_path_factory.mktemp("authority"), name="The site's own CA")


@pytest.fixture(scope="session")
def services(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The site, running."""
    if chromium.program() is None:
        pytest.skip("there is no Chromium here (on the PATH, or named by CHROMIUM)")
    if trust.library() is None:
        pytest.skip("there is no NSS library here, by which Chromium's trust store is made")
    directory = tmp_path_factory.mktemp("site")
    with Provider(directory, app=site, hosts=HOSTS, authority=authority, sockets=site) as provider:
        yield provider


def _agent(
    directory: Path, services: Provider, authority: Authority, policy: str | None = None
) -> AgentProcess:
    file = directory / "policy.yaml"
    if policy is not None:
        file.write_text(policy)
    return AgentProcess(
        directory,
        upstreams=dict.fromkeys(HOSTS, services.port),
        ca_file=authority.ca_file,
        policy=file if policy is not None else None,
    )


@pytest.fixture(scope="session")
def agent(
    services: Provider, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AgentProcess]:
    """An agent under the bundled policy, which redacts."""
    with _agent(tmp_path_factory.mktemp("redacting"), services, authority) as agent:
        yield agent


@pytest.fixture(scope="session")
def blocking_agent(
    services: Provider, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AgentProcess]:
    """An agent that blocks secrets, and what it cannot read."""
    with _agent(tmp_path_factory.mktemp("blocking"), services, authority, BLOCKING) as agent:
        yield agent


def _home(directory: Path, *roots: Path) -> Path:
    trust.trust(directory, *roots)
    return directory


@pytest.fixture(scope="session")
def browsers(
    agent: AgentProcess,
    blocking_agent: AgentProcess,
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Chromium]]:
    """A browser that finds its proxy by the agent's PAC file and trusts the agent alone, and one with a fixed proxy
    that blocks, and that trusts the site as well: so it can tell what was intercepted and what was not.

    Whatever goes past the proxy finds nobody: no name can be resolved.
    """
    nowhere = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with ExitStack() as running:
        home = _home(tmp_path_factory.mktemp("home"), agent.ca_file)
        pac = f"--proxy-pac-url=http://127.0.0.1:{agent.proxy_port}/proxy.pac"
        redacting = running.enter_context(Chromium(home, pac, nowhere))
        home = _home(tmp_path_factory.mktemp("home"), blocking_agent.ca_file, authority.ca_file)
        proxy = f"--proxy-server=127.0.0.1:{blocking_agent.proxy_port}"
        blocking = running.enter_context(Chromium(home, proxy, nowhere))
        yield {"redacting": redacting, "blocking": blocking}


@pytest.fixture
def open_page(browsers: dict[str, Chromium], services: Provider) -> Open:
    """Opens a service's page behind the agent that redacts."""
    services.reset()
    return lambda host: browsers["redacting"].page(f"https://{host}/")


@pytest.fixture
def open_blocked(browsers: dict[str, Chromium], services: Provider) -> Open:
    """Opens a service's page behind the agent that blocks."""
    services.reset()
    return lambda host: browsers["blocking"].page(f"https://{host}/")


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keeps a picture of a page in the folder that DRAWBRIDGE_PICTURES names, if it does."""
    folder = os.environ.get("DRAWBRIDGE_PICTURES")

    def keep(page: Page, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.picture(Path(folder) / f"{name}.png")

    return keep
