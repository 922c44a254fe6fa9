"""What each kind of value allows."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from agent.host.setting_values import (
    BadValueError,
    Resolve,
    log_level,
    one_of,
    path,
    port,
    proxy_url,
    resolve_list,
    switch,
)


@pytest.mark.parametrize(("value", "read"), [(0, 0), (65535, 65535), ("7717", 7717), (" 80 ", 80)])
def test_a_port_is_a_number_or_digits(value: object, read: int) -> None:
    assert port(value) == read


@pytest.mark.parametrize("value", [-1, 65536, "-1", "http", "", True, 1.5, None, "٣", "9" * 5000, [80]])
def test_what_is_no_port_is_refused(value: object) -> None:
    with pytest.raises(BadValueError):
        port(value)


def test_a_path_is_absolute_and_knows_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert path("/etc/../etc/x") == Path("/etc/x")
    assert path("~/x") == Path("/home/somebody/x")


@pytest.mark.parametrize("value", ["x", "./x", "./~", "", "  ", "/a\nb", 3, "/" + "x" * 5000])
def test_what_is_no_absolute_path_is_refused(value: object) -> None:
    with pytest.raises(BadValueError):
        path(value)


def test_log_levels_are_read_in_any_case() -> None:
    assert log_level("DEBUG") == "debug"
    with pytest.raises(BadValueError, match="'loud'"):
        log_level("loud")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("none", None),
        ("http://proxy.corp:3128", "http://proxy.corp:3128"),
        ("http://Proxy:3128/", "http://proxy:3128"),
        ("http://[::1]:3128", "http://[::1]:3128"),
    ],
)
def test_a_proxy_is_none_or_a_url(value: str, read: str | None) -> None:
    assert proxy_url(value) == read


@pytest.mark.parametrize(
    "value",
    ["proxy:3128", "socks5://p:1", "http://p", "http://:3128", "http://p:0", "http://p:1/x", "http://p:x"],
)
def test_what_is_no_proxy_is_refused(value: str) -> None:
    with pytest.raises(BadValueError):
        proxy_url(value)


def test_a_proxy_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(BadValueError) as refused:
        proxy_url("http://me:hunter2@proxy:3128")
    assert "hunter2" not in str(refused.value)


def test_resolve_entries_come_as_text_or_list() -> None:
    one = Resolve(host="api.openai.com", port=443, address="127.0.0.1", address_port=8443)
    two = Resolve(host="a.example", port=443, address="::1", address_port=1)
    assert resolve_list("API.openai.com:443=127.0.0.1:8443, a.example:443=[::1]:1") == (one, two)
    assert resolve_list(["api.openai.com:443=127.0.0.1:8443"]) == (one,)
    assert resolve_list("") == ()


@pytest.mark.parametrize(
    "value",
    [
        "api.openai.com:443",
        "api.openai.com=1.2.3.4:5",
        "a:443=b",
        "a:0=b:1",
        "a:443=[::zz]:1",
        "a b:443=c:1",
        "a:443=*:1",
        "a:1=b:1,a:1=c:1",
        {"a:443": "b:1"},
        [443],
        ["a:1=b:1"] * 257,
    ],
)
def test_malformed_resolve_entries_are_refused(value: object) -> None:
    with pytest.raises(BadValueError):
        resolve_list(value)


@given(st.text(max_size=40) | st.from_regex(r"[a-z.\[\]:=,0-9 ]{0,40}", fullmatch=True))
@hypothesis_settings(max_examples=60, deadline=None)
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    for reader in (resolve_list, proxy_url, port, path):
        with contextlib.suppress(BadValueError):
            reader(text)  # any other exception fails the test


@pytest.mark.parametrize(
    ("value", "read"),
    [(True, True), (0, False), (1, True), ("Yes", True), (" off ", False), ("false", False)],
)
def test_a_switch_is_on_or_off(value: object, read: bool) -> None:
    assert switch(value) is read


@pytest.mark.parametrize("value", ["maybe", "", 2, None, [True], 0.5])
def test_what_is_neither_on_nor_off_is_refused(value: object) -> None:
    with pytest.raises(BadValueError):
        switch(value)


def test_a_choice_is_one_of_its_words() -> None:
    assert one_of("pac", "none")(" PAC ") == "pac"
    with pytest.raises(BadValueError, match="'tun' is not one"):
        one_of("pac", "none")("tun")
