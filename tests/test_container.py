"""The examples that ship for a central gateway: whatever they name is there, and they hold what they promise."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml
from click import Command
from typer.main import get_command

from agent.central.orders import Orders, parse_address
from agent.central.terms import terms_of
from agent.cli.main import app
from agent.gateway.policy_file import read_policy

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "installers" / "container"


def compose() -> dict[str, dict[str, dict[str, object]]]:
    """The compose file."""
    found: dict[str, dict[str, dict[str, object]]] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    return found


def options() -> set[str]:
    """Those of `drawbridge gateway`."""
    command: Command = get_command(app).commands["gateway"]  # type: ignore[attr-defined]
    return {name for each in command.params for name in each.opts}


def test_the_examples_policy_holds_on_several_workers_before_everybody() -> None:
    policy = read_policy(FOLDER / "policy.yaml")
    terms_of(Orders(listen=parse_address("0.0.0.0:8080"), workers=2))(policy)


def test_the_example_names_secrets_and_volumes_that_it_has() -> None:
    found = compose()
    for service in found["services"].values():
        assert set(service.get("secrets", ())) <= set(found["secrets"])
        named = {str(each).partition(":")[0] for each in service.get("volumes", ())}
        assert {each for each in named if not each.startswith(".")} <= set(found["volumes"])
    policy = (FOLDER / "policy.yaml").read_text()
    given = {f"file:/run/secrets/{each}" for each in found["services"]["gateway"]["secrets"]}  # type: ignore[attr-defined]
    assert {word.strip('"}') for word in policy.split() if "/run/secrets/" in word} == given


def test_commands_use_options_that_there_are() -> None:
    lines = [str(each) for each in compose()["services"]["gateway"]["command"]]  # type: ignore[attr-defined]
    last = (FOLDER / "Containerfile").read_text().strip().splitlines()[-1]
    lines += json.loads(last.removeprefix("CMD "))
    lines += (ROOT / "installers" / "linux" / "drawbridge-gateway.service").read_text().split()
    used = {line.partition("=")[0] for line in lines if line.startswith("--")}
    assert used <= options()


def test_what_the_container_file_copies_is_there() -> None:
    for line in (FOLDER / "Containerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            assert (ROOT / line.split()[1]).exists()


@pytest.fixture
def server() -> Iterator[str]:
    """Says 503 at /readyz, 200 elsewhere."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503 if self.path == "/readyz" else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as listening:
        thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def test_the_health_check_tells_by_its_status(server: str) -> None:
    def check(url: str) -> int:
        return subprocess.run([sys.executable, FOLDER / "healthcheck.py", url], check=False).returncode

    assert (check(f"{server}/healthz"), check(f"{server}/readyz"), check("http://127.0.0.1:9/")) == (0, 1, 1)
