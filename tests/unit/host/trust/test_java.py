"""Java's stores: each once, with its own keytool; really run where there is one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.run import run
from agent.host.trust.java import JavaStores, java_homes
from agent.host.trust.store import Access
from tests.fakes.host import FakeRunner
from tests.fakes.stores import a_root


def runtime(home: Path, *, cacerts: Path | None = None) -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "bin/keytool").write_text("")
    store = home / "lib/security/cacerts"
    store.parent.mkdir(parents=True)
    if cacerts is None:
        store.write_bytes(b"")
    else:
        store.symlink_to(cacerts)
    return home


def test_runtimes_that_share_a_store_have_one(tmp_path: Path) -> None:
    shared = tmp_path / "etc/ssl/certs/java/cacerts"
    shared.parent.mkdir(parents=True)
    shared.write_bytes(b"")
    for name in ("java-17", "java-21"):
        runtime(tmp_path / "usr/lib/jvm" / name, cacerts=shared)
    runtime(tmp_path / "usr/lib/jvm/own")
    homes = java_homes(privileged=True, platform="linux", base=tmp_path)
    sites = JavaStores(FakeRunner({}), homes).sites()
    assert [site.place for site in sites] == [
        str(shared),
        str(tmp_path / "usr/lib/jvm/own/lib/security/cacerts"),
    ]


def test_root_does_not_follow_what_a_users_environment_names(tmp_path: Path) -> None:
    home = runtime(tmp_path / "home/ann/jdk")
    given = {"java_home": str(home), "platform": "linux", "base": tmp_path}
    assert java_homes(privileged=True, **given) == ()  # type: ignore[arg-type]
    assert java_homes(privileged=False, **given) == (home,)  # type: ignore[arg-type]


def test_without_java_there_is_no_store(tmp_path: Path) -> None:
    store = JavaStores(FakeRunner({}), ())
    assert [site.access for site in store.sites()] == [Access.ABSENT]
    with pytest.raises(HostError, match="no trust store of a Java runtime"):
        store.write(a_root().scope(str(tmp_path)), "x")


@pytest.mark.skipif(shutil.which("keytool") is None, reason="no Java on this machine")
def test_a_real_keytool_takes_the_root_and_gives_it_back(tmp_path: Path) -> None:
    tool = shutil.which("keytool")
    assert tool is not None
    home = tmp_path / "jdk"
    (home / "bin").mkdir(parents=True)
    (home / "lib/security").mkdir(parents=True)
    (home / "bin/keytool").write_text(f'#!/bin/sh\nexec {tool} "$@"\n')
    (home / "bin/keytool").chmod(0o755)
    place = str(home / "lib/security/cacerts")
    other = tmp_path / "other.pem"
    other.write_text(a_root(2).pem)
    argv = [tool, "-importcert", "-noprompt", "-alias", "other", "-file", str(other)]
    made = run([*argv, "-keystore", place, "-storepass", "changeit"], timeout=60)
    assert made.code == 0, made.stderr
    store, root = JavaStores(lambda argv: run(argv, timeout=60), (home,)), a_root()
    assert [site.access for site in store.sites()] == [
        Access.OPEN if os.access(place, os.W_OK) else Access.FORBIDDEN
    ]
    assert not store.trusts(place, root)
    assert store.trusts(place, a_root(2))  # whoever put it there
    store.write(root.scope(place), root.pem)
    assert store.read(root.scope(place)) == root.pem
    store.write(root.scope(place), None)
    assert store.read(root.scope(place)) is None
    assert store.trusts(place, a_root(2))
