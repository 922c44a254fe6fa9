"""What a program started by `drawbridge exec` finds in its environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.environment import ADDING, REPLACING, exec_environment

PROXY = "http://127.0.0.1:7717"
BUNDLE, ROOT = Path("/state/ca/bundle.pem"), Path("/state/ca/root.pem")


def changed(**environ: str) -> dict[str, str]:
    return exec_environment(environ, proxy_url=PROXY, bundle=BUNDLE, root=ROOT)


def test_https_goes_through_the_proxy_and_plain_http_does_not() -> None:
    environ = changed()
    assert environ["HTTPS_PROXY"] == environ["https_proxy"] == PROXY
    assert environ["NODE_USE_ENV_PROXY"] == "1"
    assert not {"HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NODE_USE_SYSTEM_CA"} & set(environ)


def test_the_users_other_variables_stay() -> None:
    own = {"HTTP_PROXY": "http://p:1", "ALL_PROXY": "socks5://p:2", "NODE_USE_SYSTEM_CA": "1", "PATH": "/bin"}
    assert own.items() <= changed(**own).items()


def test_a_users_https_proxy_is_replaced() -> None:
    assert changed(HTTPS_PROXY="http://p:1", https_proxy="http://p:1")["https_proxy"] == PROXY


@pytest.mark.parametrize(
    ("environ", "merged"),
    [
        ({}, "localhost,127.0.0.1,::1"),
        ({"NO_PROXY": ".corp, 10.0.0.0/8"}, ".corp,10.0.0.0/8,localhost,127.0.0.1,::1"),
        ({"NO_PROXY": "a", "no_proxy": "b,a,localhost"}, "a,b,localhost,127.0.0.1,::1"),
        ({"no_proxy": "*"}, "localhost,127.0.0.1,::1"),
    ],
)
def test_loopback_joins_the_users_exceptions(environ: dict[str, str], merged: str) -> None:
    result = changed(**environ)
    assert result["NO_PROXY"] == result["no_proxy"] == merged


def test_what_replaces_a_programs_roots_gets_the_bundle_whatever_the_user_had() -> None:
    for environ in (changed(), changed(**dict.fromkeys(REPLACING, "/corp.pem"))):
        assert {environ[name] for name in REPLACING} == {str(BUNDLE)}


def test_what_adds_to_a_programs_roots_gets_ours_or_the_bundle_where_the_user_had_more() -> None:
    assert {changed()[name] for name in ADDING} == {str(ROOT)}
    assert {changed(**dict.fromkeys(ADDING, "/corp.pem"))[name] for name in ADDING} == {str(BUNDLE)}


def test_a_second_exec_inside_the_first_changes_nothing() -> None:
    once = changed(NODE_EXTRA_CA_CERTS="/corp.pem", NO_PROXY="a")
    assert changed(**once) == once
    assert changed(**changed()) == changed()


def test_the_given_environment_is_not_changed() -> None:
    environ = {"NO_PROXY": "a"}
    exec_environment(environ, proxy_url=PROXY, bundle=BUNDLE, root=ROOT)
    assert environ == {"NO_PROXY": "a"}
