"""Rows: strictly read, and the bundled ones are sane."""

from __future__ import annotations

import pytest

from agent.catalog import (
    Catalog,
    bundled_never,
    bundled_rows,
    bundled_shapes,
    bundled_surfaces,
    parse_rows,
    parse_surfaces,
)
from agent.catalog.rows import with_uploads
from agent.dialects import DIALECTS, UPLOADS, opaque
from agent.dialects.sockets import SOCKETS
from agent.errors import ConfigError
from agent.model.surface import Confidence, Endpoint, Kind, Surface

ROW = '[[surface]]\nid = "x"\nname = "X"\nprovider = "x"\nhosts = ["x.example"]\n'
BUNDLED = bundled_surfaces()

each_bundled = pytest.mark.parametrize("row", BUNDLED, ids=lambda row: row.id)


def test_a_row_is_read_with_what_it_speaks_and_its_own_endpoints() -> None:
    (row,) = parse_surfaces(
        '[speaks]\nchat = [{ path = "**/chat", dialect = "d" }]\n'
        + ROW
        + 'speaks = ["chat"]\nhttp2 = true\nendpoints = [{ path = "/count", dialect = "d", operation = "count" }]\n',
        source="t.toml",
    )
    assert [(endpoint.path, endpoint.operation) for endpoint in row.endpoints] == [
        ("**/chat", "chat"),
        ("/count", "count"),
    ]
    assert row.http2


def test_a_row_says_how_surely_it_is_known_and_since_when() -> None:
    (row,) = parse_surfaces(ROW + 'confidence = "inferred"\nseen = "2026-08"', source="t.toml")
    assert (row.confidence, row.seen) == (Confidence.INFERRED, "2026-08")
    (row,) = parse_surfaces(ROW, source="t.toml")
    assert (row.confidence, row.seen) == (Confidence.DOCUMENTED, "")


def test_every_chat_says_how_surely_its_format_is_known() -> None:
    shapes = {shape.name for shape in bundled_shapes()}
    chats = [row for row in BUNDLED if row.kind is Kind.CHAT and {e.dialect for e in row.endpoints} & shapes]
    assert len(chats) > 40
    assert all(row.seen for row in chats if row.confidence is Confidence.SEEN)
    assert all(row.http2 and row.confidence is not Confidence.DOCUMENTED for row in chats)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[surface", "Expected"),
        ("", "missing surface"),
        ("surface = 1", "surface must be a list"),
        ("surface = [1]", "a surface must be a table"),
        ('[[surface]]\nid = "x"', "missing hosts, name, provider"),
        (ROW + "colour = 1", "unknown colour"),
        (ROW + 'http2 = "no"', "http2 must be true or false"),
        (ROW + 'confidence = "sure"', "confidence 'sure' is unknown"),
        (ROW + "confidence = []", "confidence [] is unknown"),
        (ROW + 'seen = "2026-8"', "seen must be a month"),
        (ROW + 'seen = "2026-13"', "seen must be a month"),
        (ROW + 'seen = "last year"', "seen must be a month"),
        (ROW + 'speaks = ["klingon"]', "speaks unknown 'klingon'"),
        (ROW + 'speaks = "chat"', "speaks must be a list"),
        (ROW + "endpoints = [1]", "an endpoint must be a table"),
        (ROW + 'endpoints = { path = "/a" }', "endpoints must be a list"),
        (ROW + 'endpoints = [{ path = "/a" }]', "needs a dialect, or a socket"),
        (ROW + 'endpoints = [{ path = "/a", dialect = "d", method = "GET" }]', "unknown method"),
        (ROW + 'endpoints = [{ path = 1, dialect = "d" }]', "path must be a text"),
        (ROW + 'prefix = "x"', "a prefix needs an https origin and a key_header"),
        (
            ROW + 'prefix = "x"\norigin = "http://x.example"\nkey_header = "k"',
            "a prefix needs an https origin",
        ),
        (ROW.replace('"X"', '""'), "name must be a text"),
        (ROW.replace('["x.example"]', "[]"), "hosts is empty"),
        (ROW.replace('["x.example"]', '"x.example"'), "hosts must be a list"),
        (ROW + ROW, "the id 'x' is in rows"),
        (ROW + ROW.replace('id = "x"', 'id = "y"'), "the host 'x.example' is in rows 'x' and 'y'"),
        (ROW.replace('["x.example"]', '["x.example", "x.example"]'), "the host 'x.example'"),
        ("[speaks]\nchat = 1\n" + ROW, "must be a list"),
        ('speaks = "x"\n' + ROW, "speaks must be a table"),
        (ROW + 'speaks = [["chat"]]', "speaks unknown"),
        ('version = "yesterday"\n' + ROW, "must begin with a date"),
        ('version = "2026-1-1"\n' + ROW, "must begin with a date"),
        ("version = 1\n" + ROW, "version must be a text"),
        (ROW + "never = [1]", "never must be a list of texts"),
        (ROW + "misread = [500]", "misread must be a list of HTTP statuses"),
        (ROW + "misread = [true]", "misread must be a list of HTTP statuses"),
        (ROW + 'pinned = "app"', "pinned must be a list of texts"),
        (ROW + "optional = 1", "optional must be true or false"),
        (ROW + 'endpoints = [{ path = "/a/**", dialect = "d" }]', "an endpoint is one path"),
        (ROW.replace("x.example", "api.{x}.com"), "too wide"),
    ],
)
def test_a_mistake_is_an_error_that_names_its_place(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_surfaces(text, source="t.toml")
    assert problem in str(caught.value)
    assert str(caught.value).startswith("t.toml")


@pytest.mark.parametrize(
    "host",
    [
        "X.example",
        "",
        "*.",
        "*",
        "a.*.example",
        "*.com",
        "com",
        "x..example",
        ".x.example",
        "x.example.",
        "x example.com",
        "https://x.example",
        "x.example:443",
        "-x.example",
        "bücher.example",
    ],
)
def test_a_host_must_be_a_name_or_a_suffix_of_more_than_one_label(host: str) -> None:
    with pytest.raises(ConfigError, match="is no host name"):
        parse_surfaces(ROW.replace("x.example", host), source="t.toml")


def test_a_version_is_a_date_with_what_may_follow() -> None:
    assert parse_rows('version = "2026-11-27"\n' + ROW, source="t").version == "2026-11-27"
    assert parse_rows('version = "2026-11-27.2"\n' + ROW, source="t").version == "2026-11-27.2"
    assert parse_rows(ROW, source="t").version == ""


def test_a_row_may_speak_what_another_file_says() -> None:
    speaks = {"chat": (Endpoint(path="**/chat", dialect="d"),)}
    rows = parse_rows(
        '[speaks]\nmore = [{ path = "/m", dialect = "e" }]\n' + ROW + 'speaks = ["chat", "more"]',
        source="t",
        speaks=speaks,
    )
    (row,) = rows.surfaces
    assert [endpoint.path for endpoint in row.endpoints] == ["**/chat", "/m"]
    assert set(rows.speaks) == {"chat", "more"}


def test_what_a_row_says_of_its_clients_is_kept() -> None:
    (row,) = parse_surfaces(
        ROW + 'never = ["/login/**"]\npinned = ["app"]\nmisread = [401]\noptional = true\nkind = "chat"\n',
        source="t",
    )
    assert (row.never, row.pinned, row.misread, row.optional) == (("/login/**",), ("app",), (401,), True)


def test_the_bundled_catalog_has_a_version_and_every_file() -> None:
    rows = bundled_rows()
    assert rows.version >= "2026-11-27"
    assert {"openai", "302ai", "cline"} <= {row.id for row in rows.surfaces}


def test_two_rows_cannot_share_a_base_url() -> None:
    more = 'prefix = "p"\norigin = "https://x.example"\nkey_header = "k"\n'
    other = ROW.replace('"x"', '"y"').replace("x.example", "y.example")
    with pytest.raises(ConfigError, match="the prefix 'p'"):
        parse_surfaces(ROW + more + other + more, source="t.toml")


@each_bundled
def test_a_bundled_row_speaks_dialects_that_exist(row: Surface) -> None:
    shapes = {shape.name for shape in bundled_shapes()}
    spoken = {*DIALECTS, *UPLOADS, *shapes, opaque.NAME}
    assert {endpoint.dialect for endpoint in row.endpoints if not endpoint.socket} <= spoken
    assert {endpoint.dialect for endpoint in row.endpoints if endpoint.socket} <= {*spoken, ""}
    assert row.endpoints


@each_bundled
def test_a_bundled_row_speaks_on_sockets_what_exists(row: Surface) -> None:
    assert {endpoint.socket for endpoint in row.endpoints} <= {*SOCKETS, ""}
    assert row.endpoints


@each_bundled
def test_a_bundled_row_names_hosts_of_its_own_or_shares_them(row: Surface) -> None:
    others = Catalog(tuple(other for other in BUNDLED if other.id != row.id and not row.shares))
    assert not others.hosts.intersection(row.hosts)


def test_no_bundled_row_covers_a_host_that_is_never_decrypted() -> None:
    bundled_never().check(BUNDLED)


def test_a_row_that_is_off_says_so_of_hosts_that_serve_much_else() -> None:
    off = {row.id for row in BUNDLED if row.optional}
    assert off == {"cloudflare-workers-ai", "databricks", "gitlab-duo", "snowflake"}


@each_bundled
def test_a_page_host_lists_its_paths_one_by_one(row: Surface) -> None:
    """A host with a web page serves other things too: no ending under any prefix is taken for a question there, but
    where nobody has seen the paths."""
    if (row.http2 or row.websockets) and row.confidence is not Confidence.INFERRED:
        asked = [each for each in row.endpoints if not each.takes_files]
        assert [each.path for each in asked if each.path.startswith("**")] == []


def test_the_base_urls_are_those_of_the_providers_a_policy_can_name() -> None:
    prefixed = {row.id: (row.prefix, row.origin, row.key_header) for row in BUNDLED if row.prefix}
    assert prefixed == {
        "openai": ("openai", "https://api.openai.com", "authorization"),
        "anthropic": ("anthropic", "https://api.anthropic.com", "x-api-key"),
        "gemini": ("genai", "https://generativelanguage.googleapis.com", "x-goog-api-key"),
    }


@pytest.mark.parametrize(
    ("host", "path", "dialect"),
    [
        ("api.openai.com", "/v1/chat/completions", "openai-chat"),
        ("api.openai.com", "/v1/responses", "openai-responses"),
        ("api.anthropic.com", "/v1/messages", "anthropic-messages"),
        (
            "generativelanguage.googleapis.com",
            "/v1beta/models/g:streamGenerateContent",
            "gemini-generate-content",
        ),
        ("generativelanguage.googleapis.com", "/v1beta/openai/chat/completions", "openai-chat"),
        ("chatgpt.com", "/backend-api/codex/responses", "openai-responses"),
        ("x.openai.azure.com", "/openai/deployments/d/chat/completions", "openai-chat"),
        ("openrouter.ai", "/api/v1/messages", "anthropic-messages"),
        ("api.groq.com", "/openai/v1/chat/completions", "openai-chat"),
        ("us-east-1.api.x.ai", "/v1/responses", "openai-responses"),
        ("token-plan-sgp.xiaomimimo.com", "/v1/chat/completions", "openai-chat"),
        ("gateway.ai.cloudflare.com", "/v1/acc/gw/anthropic/v1/messages", "anthropic-messages"),
        ("ampcode.com", "/api/provider/openai/v1/responses", "openai-responses"),
        (
            "api.ai.prod.eu-central-1.aws.ml.hana.ondemand.com",
            "/v2/inference/deployments/d/chat/completions",
            "openai-chat",
        ),
    ],
)
def test_where_the_common_clients_ask_is_inspected(host: str, path: str, dialect: str) -> None:
    match = Catalog(BUNDLED).match(host, path)
    assert match is not None
    assert match.endpoint is not None
    assert match.endpoint.dialect == dialect


UPLOAD = '[[upload]]\nsurface = "x"\nendpoints = [{ path = "/files", dialect = "d", operation = "upload" }]\n'


def test_where_files_are_uploaded_is_added_to_the_surface_that_a_row_names() -> None:
    surfaces = parse_surfaces(ROW, source="t.toml")
    (row,) = with_uploads(
        surfaces, UPLOAD.replace('"upload" }', '"upload", sealed = true }'), source="u.toml"
    )
    (endpoint,) = row.endpoints
    assert (row.hosts, endpoint.path, endpoint.takes_files, endpoint.sealed) == (
        ("x.example",),
        "/files",
        True,
        True,
    )


def test_a_surface_that_is_not_there_is_made_of_the_row() -> None:
    more = 'name = "Y"\nprovider = "y"\nhosts = ["y.example"]\n'
    (row,) = with_uploads((), UPLOAD + more, source="u.toml")
    assert (row.id, row.hosts, len(row.endpoints)) == ("x", ("y.example",), 1)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (UPLOAD, "missing hosts, name, provider"),
        (UPLOAD + "colour = 1", "unknown colour"),
        (UPLOAD.replace('surface = "x"', ""), "missing surface"),
        (UPLOAD.replace('operation = "upload"', 'sealed = "no"'), "sealed must be true or false"),
    ],
)
def test_a_row_of_uploads_that_is_wrong_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        with_uploads(parse_surfaces(ROW, source="t.toml") if "sealed" in text else (), text, source="u.toml")


@each_bundled
def test_a_bundled_upload_is_followed_to_an_id_that_prompts_can_name(row: Surface) -> None:
    """By its own answer, by the address that it tells, or by the id of an upload in parts."""
    for endpoint in row.endpoints:
        if endpoint.takes_files and endpoint.dialect != "upload-storage":
            parted = endpoint.operation in ("upload_part", "upload_start")
            assert endpoint.file_id or endpoint.upload_id or parted, endpoint.path
        assert not endpoint.takes_files or endpoint.dialect.startswith("upload-")
