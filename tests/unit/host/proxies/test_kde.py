"""KDE's file: two keys change, every other byte stays, and whatever it looked like before comes back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import HostError
from agent.host.earlier import Earlier
from agent.host.proxies.kde import KdeProxy
from tests.fakes.machine_settings import said

URL = "http://127.0.0.1:7717/proxy.pac"


def proxy(file: Path) -> KdeProxy:
    return KdeProxy(file, lambda _argv: said(), installed=True)


FILES = [
    None,
    b"",
    b"\n",
    b"[Other]\nA=1\n",
    b"[Other]\nA=1",
    b"[Proxy Settings]",
    b"[Proxy Settings]\n",
    b"[Proxy Settings]\n\n[Other]\nProxyType=9\n",
    b"[Proxy Settings]\nProxyType=0\nReversedException=false\n",
    b"[Other]\nA=1\n\n[Proxy Settings]\nNoProxyFor=\nProxyType=1\nhttpsProxy=http://p 3128",
    b"[Proxy Settings]\nProxyType[$i] = 1\nProxy Config Script=http://corp/p.pac\n[Z]\nb=\xff\n",
    b"[Proxy Settings]\r\nProxyType=1\r\n",
    b"[Proxy Settings]\nProxyType=0\n[B]\nc=1\n[Proxy Settings]\nProxyType=1\n",
    b"# comment\n\n\n[Proxy Settings][Sub]\nProxyType=3\n",
]


@pytest.mark.parametrize("data", FILES)
def test_every_byte_comes_back(tmp_path: Path, data: bytes | None) -> None:
    file = tmp_path / "deep" / "kioslaverc"
    if data is not None:
        file.parent.mkdir()
        file.write_bytes(data)
        file.chmod(0o640)
    driver = proxy(file)
    (scope,) = driver.scopes()
    before = driver.read(scope)
    driver.write(scope, driver.ours(scope, URL))
    assert driver.read(scope) == driver.ours(scope, URL)
    driver.write(scope, before)
    assert driver.read(scope) == before
    assert (file.read_bytes() if file.exists() else None) == data
    if data is not None:
        assert file.stat().st_mode & 0o777 == 0o640


lines = st.lists(
    st.sampled_from(
        ["[Proxy Settings]", "[Other]", "ProxyType=0", "ProxyType=1", "A=1", "", "Proxy Config Script=x", " "]
    ),
    max_size=8,
)


@given(lines=lines, ended=st.booleans())
def test_whatever_the_file_is_it_comes_back(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], ended: bool
) -> None:
    file = tmp_path_factory.mktemp("kde") / "kioslaverc"
    data = ("\n".join(lines) + ("\n" if ended else "")).encode()
    file.write_bytes(data)
    driver = proxy(file)
    (scope,) = driver.scopes()
    before = driver.read(scope)
    driver.write(scope, driver.ours(scope, URL))
    assert driver.read(scope) == driver.ours(scope, URL)
    assert set(lines) - {"ProxyType=0", "ProxyType=1", "Proxy Config Script=x"} <= set(
        file.read_text().split("\n")
    ) | {""}
    driver.write(scope, before)
    assert file.read_bytes() == data


def test_what_others_added_meanwhile_stays(tmp_path: Path) -> None:
    file = tmp_path / "kioslaverc"
    driver = proxy(file)
    driver.write(str(file), driver.ours(str(file), URL))
    with file.open("a") as more:
        more.write("NoProxyFor=x\n")
    driver.write(str(file), None)
    assert file.read_text() == "[Proxy Settings]\nNoProxyFor=x\n"


@pytest.mark.parametrize(
    ("text", "earlier"),
    [
        ("ProxyType=0\nhttpsProxy=http://p 3128\n", Earlier()),
        ("ProxyType=2\nProxy Config Script=http://corp/p.pac\n", Earlier(pac_url="http://corp/p.pac")),
        (
            "ProxyType=1\nhttpsProxy=http://p 3128\nhttpProxy=http://q:8080\nNoProxyFor=a, .b\n",
            Earlier(https="p:3128", http="q:8080", exceptions=("a", ".b")),
        ),
        ("ProxyType=1\nhttpsProxy=http://user:secret@p:3128\nsocksProxy=socks://\n", Earlier()),
    ],
)
def test_what_was_there_before(tmp_path: Path, text: str, earlier: Earlier) -> None:
    file = tmp_path / "kioslaverc"
    file.write_text("[Proxy Settings]\n" + text)
    driver = proxy(file)
    assert driver.earlier({str(file): driver.read(str(file))}) == earlier


def test_another_file_is_never_touched(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="not the file"):
        proxy(tmp_path / "kioslaverc").write(str(tmp_path / "other"), None)


def test_without_kde_there_is_nothing_to_set(tmp_path: Path) -> None:
    assert KdeProxy(tmp_path / "kioslaverc", installed=False).scopes() == ()
