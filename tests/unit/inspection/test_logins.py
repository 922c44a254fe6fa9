"""The account of a request: told by what it shows, never holding what it shows."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.catalog.logins import Fact, bundled_logins
from agent.inspection.logins import Shown, domain_of, jwt_claims, read_login
from agent.model.login import Login, LoginKind, Tenancy
from agent.policy.company import Company

FACTS = bundled_logins()
NOBODY = Company()
ACME = Company(domains=("acme.test",), organisations=("org-acme",), tenants=("tenant-acme",))
AUTH, PROFILE = "https://api.openai.com/auth", "https://api.openai.com/profile"


def jwt(**claims: object) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'RS256'})}.{part(claims)}.c2lnbmF0dXJl"


def chatgpt(plan: str, email: str = "", account: str = "") -> str:
    claims: dict[str, object] = {"iss": "https://auth.openai.com", "sub": "user-1"}
    claims[AUTH] = {"chatgpt_plan_type": plan, "chatgpt_account_id": account}
    return jwt(**claims, **({PROFILE: {"email": email}} if email else {}))


def login(
    *, company: Company = NOBODY, host: str = "api.openai.com", query_key: str = "", **fields: str
) -> Login:
    """Of a request with these headers (`_` for `-`)."""
    shown = {name.replace("_", "-").encode(): value.encode() for name, value in fields.items()}
    return read_login(Shown(host=host, fields=shown, query_key=query_key.encode()), FACTS, company)


KEY = "x" * 40 + "wxyz"


@pytest.mark.parametrize(
    ("credential", "kind", "key_type"),
    [
        ("sk-proj-", LoginKind.API_KEY, "openai-project"),
        ("sk-svcacct-", LoginKind.API_KEY, "openai-service"),
        ("sk-admin-", LoginKind.API_KEY, "openai-admin"),
        ("sk-or-v1-", LoginKind.API_KEY, "openrouter"),
        ("sk-", LoginKind.API_KEY, "generic"),
        ("sk-ant-api03-", LoginKind.API_KEY, "anthropic"),
        ("sk-ant-oat01-", LoginKind.SUBSCRIPTION, "claude-oauth"),
        ("ya29.", LoginKind.CLOUD, "google-oauth"),
        ("gsk_", LoginKind.API_KEY, "groq"),
        ("sgp_", LoginKind.SUBSCRIPTION, "sourcegraph"),
        ("gho_", LoginKind.SUBSCRIPTION, "github-oauth"),
        ("tk-", LoginKind.UNKNOWN, "opaque"),
    ],
)
def test_a_credential_is_told_by_how_it_begins(credential: str, kind: LoginKind, key_type: str) -> None:
    for scheme in ("Bearer ", "bearer ", "token ", ""):
        found = login(authorization=scheme + credential + KEY)
        assert (found.kind, found.key_type) == (kind, key_type)
        assert found.tail == ("wxyz" if kind is LoginKind.API_KEY else "")


def test_keys_stand_in_headers_of_their_own_and_in_queries() -> None:
    assert login(x_api_key="sk-ant-api03-" + KEY).key_type == "anthropic"
    assert login(x_goog_api_key="AIza" + KEY).key_type == "google"
    assert login(query_key="AIza" + KEY).tail == "wxyz"
    assert login(api_key=KEY) == Login(kind=LoginKind.API_KEY, key_type="azure", tail="wxyz")
    assert login(x_api_key=KEY).key_type == "generic"


def test_of_a_short_key_nothing_is_told() -> None:
    assert login(x_api_key=KEY[:8]).tail == ""


def test_signatures_and_pages_are_told_by_their_scheme() -> None:
    aws = login(authorization="AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/2026/x, Signature=0a")
    assert (aws.kind, aws.key_type, aws.tail) == (LoginKind.CLOUD, "aws-signature", "")
    assert login(authorization="SAPISIDHASH 1_a").kind is LoginKind.SESSION


def test_a_chatgpt_login_tells_plan_address_and_workspace() -> None:
    found = login(authorization="Bearer " + chatgpt("team", "ann@acme.test", "ws-1"), company=ACME)
    assert found == Login(
        kind=LoginKind.SUBSCRIPTION,
        key_type="chatgpt",
        subject="ann@acme.test",
        organisation="ws-1",
        domain="acme.test",
        plan="team",
        tenancy=Tenancy.COMPANY,
    )


def test_a_header_that_names_the_workspace_adds_to_the_token() -> None:
    token = "Bearer " + jwt(iss="https://auth.openai.com", sub="u")
    assert login(authorization=token, chatgpt_account_id="ws-2").organisation == "ws-2"
    assert login(authorization="Bearer sk-" + KEY, openai_organization="org-9").organisation == "org-9"


def test_a_copilot_token_is_told_by_its_fields() -> None:
    fields = "tid=0a1b;ol=org-github;exp=1;sku=copilot_for_business_seat;st=dotcom:c2lnbmF0dXJl"
    found = login(authorization=f"Bearer {fields}", host="api.githubcopilot.com")
    assert (found.kind, found.key_type, found.plan) == (LoginKind.SUBSCRIPTION, "copilot", "business")
    assert (found.organisation, found.tenancy) == ("org-github", Tenancy.COMPANY)
    assert "c2lnbmF0dXJl" not in repr(found)


def test_a_host_knows_its_plan() -> None:
    found = login(authorization="Bearer tid=0a;exp=1", host="api.individual.githubcopilot.com")
    assert (found.plan, found.tenancy) == ("individual", Tenancy.PERSONAL)
    assist = login(authorization="Bearer ya29." + KEY, host="cloudcode-pa.googleapis.com")
    assert assist.kind is LoginKind.SUBSCRIPTION


def test_entra_and_google_tell_tenant_and_domain() -> None:
    entra = "Bearer " + jwt(
        iss="https://login.microsoftonline.com/t/v2.0", tid="tenant-acme", upn="ann@x.test"
    )
    found = login(authorization=entra, company=ACME)
    assert (found.kind, found.key_type, found.organisation) == (LoginKind.CLOUD, "entra", "tenant-acme")
    assert found.tenancy is Tenancy.COMPANY
    google = "Bearer " + jwt(iss="https://accounts.google.com", hd="acme.test", email="ann@mail.acme.test")
    assert login(authorization=google).domain == "acme.test"
    live = "Bearer " + jwt(iss="https://sts.windows.net/x", tid="9188040d-6c67-4c5b-b112-36a304b66dad")
    assert login(authorization=live, company=ACME).tenancy is Tenancy.PERSONAL


def test_a_cookie_shows_a_session_and_its_organisation() -> None:
    found = login(host="claude.ai", cookie="a=b; sessionKey=sk-ant-sid01-x; lastActiveOrg=7d3f")
    assert (found.kind, found.organisation) == (LoginKind.SESSION, "7d3f")
    assert "sid01" not in repr(found)
    assert login(host="claude.ai", cookie="a=b") == Login(kind=LoginKind.ANONYMOUS)
    assert login() == Login(kind=LoginKind.ANONYMOUS)


@pytest.mark.parametrize(
    ("token", "company", "tenancy"),
    [
        (chatgpt("plus", "ann@acme.test"), ACME, Tenancy.COMPANY),
        (chatgpt("plus", "ann@eu.acme.test"), ACME, Tenancy.COMPANY),
        (chatgpt("plus", "ann@notacme.test"), ACME, Tenancy.PERSONAL),
        (chatgpt("team", "ann@other.test"), ACME, Tenancy.OTHER),
        (chatgpt("team", "", "org-ACME"), ACME, Tenancy.COMPANY),
        (chatgpt("team", "", "org-other"), ACME, Tenancy.OTHER),
        (chatgpt("enterprise", "ann@gmail.com"), ACME, Tenancy.PERSONAL),
        (chatgpt("team", "ann@other.test"), NOBODY, Tenancy.COMPANY),
        (chatgpt("team"), ACME, Tenancy.COMPANY),
        (chatgpt("free"), ACME, Tenancy.PERSONAL),
        (chatgpt("", "ann@gmail.com"), NOBODY, Tenancy.PERSONAL),
        (chatgpt("galactic", "ann@own.test"), NOBODY, Tenancy.UNKNOWN),
        (jwt(iss="https://sts.windows.net/x", tid="t"), NOBODY, Tenancy.COMPANY),
        (jwt(iss="https://sts.windows.net/x", tid="t"), ACME, Tenancy.OTHER),
        ("sk-" + KEY, ACME, Tenancy.UNKNOWN),
    ],
)
def test_whose_account_it_is(token: str, company: Company, tenancy: Tenancy) -> None:
    assert login(authorization=f"Bearer {token}", company=company).tenancy is tenancy


@pytest.mark.parametrize(
    ("named", "organisation", "tenancy"),
    [("", "org-acme", Tenancy.COMPANY), ("org-other", "org-other", Tenancy.OTHER)],
)
def test_what_the_provider_said_counts_where_the_request_names_nothing(
    named: str, organisation: str, tenancy: Tenancy
) -> None:
    fields = {b"authorization": b"Bearer sk-" + KEY.encode(), b"openai-organization": named.encode()}
    shown = Shown(host="api.openai.com", fields=fields, learned={Fact.ORGANISATION: "org-acme"})
    found = read_login(shown, FACTS, ACME)
    assert (found.organisation, found.tenancy) == (organisation, tenancy)


@pytest.mark.parametrize(
    "token",
    ["", "eyJ", "eyJ.eyJ", "eyJ.!.x", "eyJ.bnVsbA.x", "eyJ.W10.x", f"eyJ.{'A' * 40000}.x", "eyJ.eyJ9.x.y.z"],
)
def test_what_is_no_token_has_no_claims(token: str) -> None:
    assert jwt_claims(token) is None
    assert login(authorization=f"Bearer {token}").plan == ""


@pytest.mark.parametrize("subject", ["", "ann", "@acme.test", "ann@acme", "user-1"])
def test_what_is_no_address_has_no_domain(subject: str) -> None:
    assert domain_of(subject) == ""


CLAIM = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
NAMES = st.sampled_from([AUTH, PROFILE, "iss", "tid", "email", "upn", "hd", "sub", "oid", "plan"])


@given(st.dictionaries(NAMES, CLAIM))
def test_no_claim_is_too_strange(claims: dict[str, object]) -> None:
    found = login(authorization="Bearer " + jwt(**claims), company=ACME)
    for text in (found.subject, found.organisation, found.plan, found.domain):
        assert len(text) <= 128
        assert text.isprintable()


@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=100))
def test_nothing_that_a_request_shows_is_too_strange(token: bytes, cookie: bytes, key: bytes) -> None:
    fields = {b"authorization": token, b"cookie": cookie, b"chatgpt-account-id": key}
    read_login(Shown(host="x", fields=fields, query_key=key), FACTS, ACME)


@given(
    st.sampled_from(
        ["sk-", "sk-ant-api03-", "sk-ant-oat01-", "ya29.", "gho_", "AIza", "", "tid=1;sku=x;st="]
    ),
    st.text(alphabet="ABCDEFGHJKabcdefghjk0123456789_-", min_size=24, max_size=80),
    st.sampled_from(["authorization", "x_api_key", "cookie"]),
)
def test_no_login_holds_the_credential(begins: str, secret: str, where: str) -> None:
    value = {"authorization": f"Bearer {begins}{secret}", "cookie": f"sessionKey={secret}"}.get(
        where, begins + secret
    )
    assert secret[:-4] not in repr(login(**{where: value}))


def test_no_login_holds_a_tokens_signature() -> None:
    assert "c2lnbmF0dXJl" not in repr(login(authorization="Bearer " + chatgpt("plus", "a@b.test")))
