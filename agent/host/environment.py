"""The environment in which `drawbridge exec` starts a program: its proxy is ours, and it trusts our root.

Pure: a mapping in, a mapping out. Every variable is set because a client of AI services reads it; the
reason stands beside it. What the user has set is kept wherever it does not lead around the proxy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

# These replace a program's own roots: they must name the bundle (OS roots and ours), never our root alone.
REPLACING: Mapping[str, str] = MappingProxyType(
    {
        "SSL_CERT_FILE": "OpenSSL, Go on Unix, rustls-native-certs, httpx and the SDKs built on it, uv",
        "REQUESTS_CA_BUNDLE": "Python's requests, and botocore",
        "CURL_CA_BUNDLE": "curl, which agents call from their shell tool",
        "GIT_SSL_CAINFO": "git: chat surfaces share hosts with repositories",
        "CARGO_HTTP_CAINFO": "cargo, for the same repositories",
        "PIP_CERT": "pip 24.2 and later asks the OS store unless a file is named",
        "AWS_CA_BUNDLE": "AWS CLI and SDKs: Bedrock",
        "CODEX_CA_CERTIFICATE": "Codex, before SSL_CERT_FILE; also for WebSockets",
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": "gRPC's core, which has roots of its own: Google's SDKs",
    }
)
# These add to a program's own roots: our root is enough, and is parsed faster than 150 others.
ADDING: Mapping[str, str] = MappingProxyType(
    {
        "NODE_EXTRA_CA_CERTS": "Node.js and Bun",
        "DENO_CERT": "Deno, which reads neither of the above before 2.8",
    }
)
# Not set: NODE_USE_SYSTEM_CA (NODE_EXTRA_CA_CERTS suffices on every version); UV_NATIVE_TLS, UV_SYSTEM_CERTS
# (uv follows SSL_CERT_FILE; they would make it ask the OS store); SSL_CERT_DIR (SSL_CERT_FILE is read beside
# it); nothing of Java's (its trust store is no PEM file).

CA_VARIABLES = (*REPLACING, *ADDING)
"""Every variable in which a user may have named roots that must stay trusted."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def exec_environment(
    environ: Mapping[str, str], *, proxy_url: str, bundle: Path, root: Path
) -> dict[str, str]:
    """`environ` changed so that HTTPS goes through `proxy_url` and trusts what `bundle` holds.

    `root` is our root alone, PEM. Roots that the user named in one of `CA_VARIABLES` must be in `bundle`
    already.
    """
    changed = dict(environ)
    # Only HTTPS: the front door answers CONNECT and nothing else, so plain HTTP must not be sent to it. The
    # user's HTTP_PROXY stays, and so does ALL_PROXY, which HTTPS_PROXY outranks wherever both are read.
    # Both spellings: curl and Go read either, wget the lower case only, others the upper.
    changed["HTTPS_PROXY"] = changed["https_proxy"] = proxy_url
    # local model servers, language servers and MCP servers speak to themselves
    changed["NO_PROXY"] = changed["no_proxy"] = _no_proxy(environ)
    # Node's fetch ignores proxy variables without it (22.21 and later, 24 and later)
    changed["NODE_USE_ENV_PROXY"] = "1"
    for name in REPLACING:
        changed[name] = str(bundle)
    for name in ADDING:
        # one file only: where the user has one, the bundle stands for both
        own = environ.get(name)
        changed[name] = str(bundle if own and Path(own) != root else root)
    return changed


def _no_proxy(environ: Mapping[str, str]) -> str:
    """The user's exceptions and the loopback names.

    `*` is left out: it means no proxy at all, and who starts a program through `exec` asks for one.
    """
    entries = [
        stripped
        for name in ("NO_PROXY", "no_proxy")
        for entry in environ.get(name, "").split(",")
        if (stripped := entry.strip()) and stripped != "*"
    ]
    return ",".join(dict.fromkeys((*entries, *_LOOPBACK)))
