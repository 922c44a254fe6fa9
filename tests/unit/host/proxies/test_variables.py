"""Environment files: read back by the shell that reads them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.environment import ADDING, REPLACING
from agent.host.proxies.variables import EnvironmentFiles, profile_text, session_text, variables

FOUND = variables(proxy_port=7717, bundle=Path("/a b/bundle.pem"), root=Path("/a b/root.pem"))


def test_every_variable_of_exec_is_set() -> None:
    assert {*REPLACING, *ADDING, "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"} <= set(FOUND)


def test_a_shell_reads_them_and_what_was_excepted_stays(tmp_path: Path) -> None:
    file = tmp_path / "drawbridge.sh"
    file.write_text(profile_text(FOUND))
    shell = shutil.which("sh")
    assert shell is not None
    done = subprocess.run(
        [shell, "-c", f'. {file}; echo "$HTTPS_PROXY|$SSL_CERT_FILE|$NO_PROXY|$no_proxy"'],
        env={"NO_PROXY": "corp.example"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip().split("|") == [
        "http://127.0.0.1:7717",
        "/a b/bundle.pem",
        "corp.example,localhost,127.0.0.1,::1",
        "localhost,127.0.0.1,::1",
    ]


def test_the_session_manager_is_given_the_same() -> None:
    text = session_text(FOUND)
    assert 'HTTPS_PROXY="http://127.0.0.1:7717"\n' in text
    assert 'NO_PROXY="${NO_PROXY:+$NO_PROXY,}localhost,127.0.0.1,::1"\n' in text


def test_a_value_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(HostError, match="cannot be set"):
        session_text({"SSL_CERT_FILE": "/a$b"})


def test_each_file_has_its_text(tmp_path: Path) -> None:
    files = EnvironmentFiles(session=tmp_path / "s", profile=tmp_path / "p")
    assert set(files.texts(FOUND)) == set(files.driver.scopes()) == {str(tmp_path / "s"), str(tmp_path / "p")}
    assert set(EnvironmentFiles(session=tmp_path / "s").texts(FOUND)) == {str(tmp_path / "s")}


def test_of_two_empty_folders_only_the_one_that_no_system_comes_with_goes(tmp_path: Path) -> None:
    files = EnvironmentFiles(session=tmp_path / "environment.d/a", profile=tmp_path / "profile.d/a")
    (tmp_path / "profile.d").mkdir()
    for scope in files.driver.scopes():
        files.driver.write(scope, "A=1\n")
    for scope in files.driver.scopes():
        files.driver.write(scope, None)
    assert [each.name for each in tmp_path.iterdir()] == ["profile.d"]
