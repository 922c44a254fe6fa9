"""One address, one answer, and everything else that comes to it."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest

from agent.errors import HostError
from agent.signin.listener import Listener
from agent.signin.problems import SignInError


def get(address: str, **headers: str) -> httpx.Response:
    return httpx.get(address, headers=headers, trust_env=False)


def test_the_answer_is_taken_once() -> None:
    with Listener("s") as listener:
        assert listener.address.startswith("http://127.0.0.1:")
        page = get(f"{listener.address}?code=c&state=s")
        assert page.status_code == 200
        assert "close this page" in page.text
        assert listener.wait(5) == {"code": "c", "state": "s"}
        assert get(f"{listener.address}?code=other&state=s").status_code == 404
        assert listener.wait(5)["code"] == "c"


def test_the_page_is_plain_and_keeps_nothing() -> None:
    with Listener("s") as listener:
        page = get(f"{listener.address}?code=c&state=s")
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "c" not in {page.headers.get("set-cookie", "")}


def test_what_is_no_answer_changes_nothing() -> None:
    with Listener("s") as listener:
        at, root = listener.address, listener.address.removesuffix("/sign-in")
        for address in (
            f"{at}?code=evil&state=wrong",
            f"{at}?code=evil",
            f"{at}?code=evil&state=",
            f"{at}?code=evil&state=s&state=s",
            f"{at}/?code=evil&state=s",
            f"{root}/other?code=evil&state=s",
            f"{root}/favicon.ico",
            f"{at}?{'&'.join(f'a{n}=1' for n in range(17))}&code=evil&state=wrong",
        ):
            assert get(address).status_code == 404
        assert get(f"{at}?code=evil&state=s", host="evil.example").status_code == 404
        assert httpx.post(f"{at}?code=evil&state=s", trust_env=False).status_code == 501
        assert get(f"{at}?code=c&state=s").status_code == 200
        assert listener.wait(5)["code"] == "c"


def test_more_parameters_than_there_can_be_are_not_read() -> None:
    with Listener("s") as listener:
        many = "&".join(f"a{n}=1" for n in range(99))
        assert get(f"{listener.address}?{many}&code=evil&state=s").status_code == 404
        assert get(f"{listener.address}?code=c&state=s").status_code == 200


def test_those_who_connect_and_say_nothing_hold_up_nobody() -> None:
    with Listener("s") as listener:
        place = urlsplit(listener.address)
        assert place.port is not None
        idle = [socket.create_connection(("127.0.0.1", place.port)) for _ in range(10)]
        try:
            assert get(f"{listener.address}?code=c&state=s").status_code == 200
        finally:
            for each in idle:
                each.close()


def test_no_answer_is_said() -> None:
    begun = time.monotonic()
    with Listener("s") as listener, pytest.raises(SignInError, match="no answer came"):
        listener.wait(0.1)
    assert time.monotonic() - begun < 5


def test_it_is_closed_behind_us() -> None:
    with Listener("s") as listener:
        address = listener.address
    with pytest.raises(httpx.ConnectError):
        get(address)


def test_a_port_that_is_taken_is_said() -> None:
    with Listener("s") as listener:
        port = urlsplit(listener.address).port
        assert port is not None
        with pytest.raises(HostError, match="is taken"):
            Listener("t", port)


def test_it_is_on_loopback_alone() -> None:
    with Listener("s") as listener:
        assert listener._server.socket.getsockname()[0] == "127.0.0.1"
