"""`drawbridge tray` where there is no desktop: it says so, and by which status."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.tray.command import EXIT_FAILED, EXIT_NO_PANEL, main

pytestmark = pytest.mark.skipif("sys.platform != 'linux'", reason="elsewhere there is always a panel")


@pytest.fixture(autouse=True)
def no_desktop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "PYSTRAY_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_check_says_what_would_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == EXIT_NO_PANEL
    told = capsys.readouterr().out
    assert told.startswith("icon: none, there is no desktop here")
    assert "hint: " in told


def test_without_a_panel_it_ends_with_a_status_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == EXIT_NO_PANEL
    assert "error: no icon can be shown" in capsys.readouterr().err


def test_a_second_one_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from agent.host.lock import ProcessLock

    directory = tmp_path / "drawbridge" / "tray"
    directory.mkdir(parents=True, mode=0o700)
    with ProcessLock(directory / "lock", "tray"):
        assert main(["--no-icon", "--state-dir", str(tmp_path / "state")]) == EXIT_FAILED
        assert main(["--if-possible", "--state-dir", str(tmp_path / "state")]) == 0
    assert capsys.readouterr().err.count("your tray runs already") == 1


def test_it_cannot_be_told_two_ways(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--no-icon", "--if-possible"])
    assert "not allowed with" in capsys.readouterr().err
