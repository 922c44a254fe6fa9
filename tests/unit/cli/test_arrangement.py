"""`drawbridge setup` and `drawbridge restore`, in a home of their own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from agent.host.earlier import read_earlier
from agent.host.lock import ProcessLock
from agent.host.paths import StatePaths, setup_paths
from agent.host.settings_request import Request, ask
from tests.fakes.command_line import Drawbridge

BEFORE = "[Proxy Settings]\nProxyType=1\nhttpsProxy=http://p 3128\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    (home / ".config").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / ".state"))
    monkeypatch.setenv("GSETTINGS_BACKEND", "keyfile")
    (home / ".config" / "kioslaverc").write_text(BEFORE)
    return home


@pytest.fixture
def served(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """What answers as a running agent would, which has read where programs were led before."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = read_earlier(setup_paths(user=True).earlier).mark.encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        monkeypatch.setenv("DRAWBRIDGE_PROXY_PORT", str(server.server_port))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def states(drawbridge: Drawbridge, *words: str, code: int = 0) -> dict[str, str]:
    result = drawbridge(*words, "--user", "--json")
    assert result.exit_code == code, result.output
    return {row["kind"]: row["state"] for row in json.loads(result.stdout)}


def test_it_is_set_once_and_comes_back(drawbridge: Drawbridge, home: Path, served: int) -> None:
    kde = home / ".config" / "kioslaverc"
    pac = ("--manage-proxy", "pac")
    assert states(drawbridge, "setup", "--dry-run", *pac)["kde-proxy"] == "will be changed"
    assert kde.read_text() == BEFORE
    assert states(drawbridge, "setup", *pac)["kde-proxy"] == "changed"
    assert f"http://127.0.0.1:{served}/proxy.pac" in kde.read_text()
    assert states(drawbridge, "setup", *pac)["kde-proxy"] == "as it should be"
    assert states(drawbridge, "restore", "--dry-run")["kde-proxy"] == "would be restored"
    assert states(drawbridge, "restore")["kde-proxy"] == "restored"
    assert kde.read_text() == BEFORE
    assert states(drawbridge, "restore") == {}


def test_people_are_shown_a_table(drawbridge: Drawbridge, home: Path, served: int) -> None:
    assert "Nothing is asked for" in drawbridge("setup", "--user").stdout
    assert "kde-proxy" in drawbridge("setup", "--user", "--manage-proxy", "pac").stdout
    assert "restored" in drawbridge("restore", "--user").stdout
    assert "nothing to restore" in drawbridge("restore", "--user").stdout


def test_a_machine_without_a_desktop_is_told_so(
    drawbridge: Drawbridge, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".config" / "kioslaverc").unlink()
    monkeypatch.setenv("PATH", str(home))
    told = drawbridge("setup", "--user", "--dry-run", "--manage-proxy", "pac").stdout
    assert "Nothing was found here that could be changed for manage_proxy pac" in " ".join(told.split())
    assert "Nothing is asked for" in drawbridge("setup", "--user", "--dry-run").stdout


def test_nothing_leads_to_where_nobody_answers(
    drawbridge: Drawbridge, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.host.arrangement._SERVED", 0.0)
    monkeypatch.setenv("DRAWBRIDGE_PROXY_PORT", "1")
    assert states(drawbridge, "setup", "--manage-proxy", "pac", code=1)["kde-proxy"] == "failed"
    assert (home / ".config" / "kioslaverc").read_text() == BEFORE


def test_it_comes_back_though_the_configuration_is_broken(
    drawbridge: Drawbridge, home: Path, served: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    states(drawbridge, "setup", "--manage-proxy", "pac")
    monkeypatch.setenv("DRAWBRIDGE_NO_SUCH_SETTING", "1")
    assert drawbridge("setup", "--user").exit_code == 1
    result = drawbridge("restore", "--user", "--if-not-running")
    assert result.exit_code == 0
    assert (home / ".config" / "kioslaverc").read_text() == BEFORE


def test_while_an_agent_runs_what_leads_to_it_may_stay(
    drawbridge: Drawbridge, home: Path, served: int, tmp_path: Path
) -> None:
    states(drawbridge, "setup", "--manage-proxy", "pac")
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()
    with ProcessLock(paths.supervisor_lock, "supervisor"):
        result = drawbridge("restore", "--user", "--if-not-running", "--state-dir", paths.root)
    assert "An agent runs" in result.stdout
    assert (home / ".config" / "kioslaverc").read_text() != BEFORE
    assert states(drawbridge, "restore", "--only-proxy")["kde-proxy"] == "restored"


def test_what_somebody_else_changed_is_left(drawbridge: Drawbridge, home: Path, served: int) -> None:
    states(drawbridge, "setup", "--manage-proxy", "pac")
    theirs = BEFORE.replace("ProxyType=1", "ProxyType=3")
    (home / ".config" / "kioslaverc").write_text(theirs)
    assert states(drawbridge, "restore")["kde-proxy"] == "left"
    assert (home / ".config" / "kioslaverc").read_text() == theirs


def test_a_service_asks_and_is_given_what_the_settings_say(
    drawbridge: Drawbridge, home: Path, served: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAWBRIDGE_MANAGE_PROXY", "pac")
    request = tmp_path / "settings.request"
    assert drawbridge("setup", "--user", "--requested", request).exit_code == 0
    assert (home / ".config" / "kioslaverc").read_text() == BEFORE
    ask(request, Request.SETUP)
    assert drawbridge("setup", "--user", "--requested", request).exit_code == 0
    assert (home / ".config" / "kioslaverc").read_text() != BEFORE
    ask(request, Request.RESTORE)
    assert drawbridge("setup", "--user", "--requested", request).exit_code == 0
    assert (home / ".config" / "kioslaverc").read_text() == BEFORE
    assert not request.exists()
