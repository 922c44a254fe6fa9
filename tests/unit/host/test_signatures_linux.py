"""Linux: the package that a file belongs to, where only root can have put it there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.run import Completed
from agent.host.signatures_linux import Packages
from agent.model.traffic import UNSIGNED, Signature
from tests.fakes.host import FakeRunner

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="looks at owners and modes of files")


def answer(text: str, code: int = 0) -> Completed:
    return Completed(code=code, stdout=text.encode(), stderr=b"")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    for place in ("usr/share/code/code", "usr/bin/curl", "snap/code/12/code"):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o755)
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(0o755)
    return tmp_path


def dpkg(root: Path) -> None:
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()


def test_dpkg_names_the_package(root: Path) -> None:
    dpkg(root)
    runner = FakeRunner({"/usr/share/code/code": answer("code: /usr/share/code/code\n")})
    found = Packages(runner, root).verify("/usr/share/code/code")
    assert found == Signature(signer="dpkg:code", package="code", verified=True)


def test_an_architecture_a_diversion_and_several_owners_are_understood(root: Path) -> None:
    dpkg(root)
    said = "diversion by x from: /usr/bin/curl\nlibc6:amd64, other: /usr/bin/curl\n"
    assert (
        Packages(FakeRunner({"/usr/bin/curl": answer(said)}), root).verify("/usr/bin/curl").package == "libc6"
    )


def test_a_file_that_an_older_package_lists_below_bin_is_found(root: Path) -> None:
    dpkg(root)
    runner = FakeRunner({"/bin/curl": answer("curl: /bin/curl\n")})
    assert Packages(runner, root).verify("/usr/bin/curl").package == "curl"


def test_a_longer_path_in_the_answer_is_another_file(root: Path) -> None:
    dpkg(root)
    runner = FakeRunner({"/usr/bin/curl": answer("evil: /home/u/usr/bin/curl\n")})
    assert Packages(runner, root).verify("/usr/bin/curl") == UNSIGNED


def test_rpm_and_pacman_are_asked_where_they_are(root: Path) -> None:
    (root / "usr/lib/sysimage/rpm").mkdir(parents=True)
    assert Packages(FakeRunner({"rpm": answer("curl\n")}), root).verify("/usr/bin/curl").signer == "rpm:curl"
    (root / "usr/lib/sysimage/rpm").rmdir()
    (root / "var/lib/pacman/local").mkdir(parents=True)
    runner = FakeRunner({"pacman": answer("curl\n")})
    assert Packages(runner, root).verify("/usr/bin/curl").signer == "pacman:curl"
    assert Packages(FakeRunner({"pacman": answer("", 1)}), root).verify("/usr/bin/curl") == UNSIGNED


def test_a_snap_is_told_by_its_path(root: Path) -> None:
    found = Packages(FakeRunner({}), root).verify("/snap/code/12/code")
    assert found == Signature(signer="snap:code", package="snap:code", verified=True)


@pytest.mark.parametrize(("place", "mode"), [("usr/bin/curl", 0o775), ("usr/bin", 0o777), ("usr", 0o775)])
def test_a_file_that_others_can_replace_counts_for_nothing(root: Path, place: str, mode: int) -> None:
    dpkg(root)
    runner = FakeRunner({"/usr/bin/curl": answer("curl: /usr/bin/curl\n")})
    (root / place).chmod(mode)
    assert Packages(runner, root).verify("/usr/bin/curl") == UNSIGNED
    assert runner.asked == []


def test_a_file_that_is_gone_is_an_error_and_a_relative_path_nobodys(root: Path) -> None:
    with pytest.raises(HostError, match="cannot look at"):
        Packages(FakeRunner({}), root).verify("/usr/bin/gone")
    assert Packages(FakeRunner({}), root).verify("usr/bin/curl") == UNSIGNED


def test_a_system_without_packages_vouches_for_nothing(root: Path) -> None:
    assert Packages(FakeRunner({}), root).verify("/usr/bin/curl") == UNSIGNED


@pytest.mark.skipif(not Path("/var/lib/dpkg/status").exists(), reason="asks the real dpkg")
def test_the_real_dpkg_knows_its_own_shell() -> None:
    shell = str(Path("/bin/dash").resolve())
    assert Packages().verify(shell) == Signature(signer="dpkg:dash", package="dash", verified=True)
