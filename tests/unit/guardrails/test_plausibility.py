"""Values that are secrets, and values that only stand where one would."""

from __future__ import annotations

import base64

import pytest

from agent.guardrails import plausibility
from tests.unit.guardrails.draw import Draw

VALUE = "".join(("q7Zk2mXw9L", "pR4tVb8NsD"))


@pytest.mark.parametrize(
    "value",
    [
        "hunter2x",
        "Tr0ub4dor&3",
        "S3cret!x",
        "482913",
        "p@ssw0rd9",
        "correct-Horse7staple",
        "orchard-linen-47-pebble",
        "Maple.vTqzRb_36",
    ],
)
def test_passwords(value: str) -> None:
    assert plausibility.password_value(value, "password = ")


@pytest.mark.parametrize(
    "value",
    [
        "changeme1",
        "your_password_1",
        "********",
        "aaaaaa1",
        "${DB_PASS1}",
        "$DB_PASS1",
        "required",
        "Passwort",
        "password2",
        "accessToken1",
        "sha256",
        "credentials?.password1",
        "get_password(1",
        "config['x1']",
        "process.env.PASS1",
        "my-secret-v2",
        "input_field_3",
        "<password1>",
        "https://x1.corp.net",
    ],
)
def test_no_passwords(value: str) -> None:
    assert not plausibility.password_value(value, "password = ")


@pytest.mark.parametrize(
    "value",
    ["]35d/{pB9Fo9wJ", "h]6EszR}vJ*m", "admin123", "correct-horse-battery-staple", "QxTzWkPb", "hxkqztw9"],
)
def test_quoted_passwords_may_hold_brackets_or_only_letters(value: str) -> None:
    assert plausibility.quoted_password(value, 'password: "')


@pytest.mark.parametrize(
    "value",
    ["Kennwort", "getPassword()", "${pass1}", "2016-09-08T21:47:36Z", "new-password-field-name", "{pass1}"],
)
def test_no_quoted_passwords(value: str) -> None:
    assert not plausibility.quoted_password(value, 'password: "')


def test_in_a_list_of_names_a_quoted_value_must_look_made_up() -> None:
    assert not plausibility.quoted_password("AI_V4MAPPED", '"AI_PASSIVE", "')
    assert plausibility.quoted_password("Xk9#mQ2!vL", 'setenv("DB_PASSWORD", "')


def test_a_password_told_in_a_sentence_has_letters_and_digits() -> None:
    told = [
        plausibility.told_password(value, "password is ") for value in ("hunter2", "admin123", "Nx81-qqLp!")
    ]
    words = [
        plausibility.told_password(value, "password is ") for value in ("required", "8-20", "SHA-256", "v2")
    ]
    assert (told, words) == ([True] * 3, [False] * 4)


def test_a_password_that_nothing_announces_has_marks_or_digits_in_two_places() -> None:
    values = ("Pq8!zzLw", "k3yPassw0rd", "field2", "local/path2", "pre-v1.2")
    assert [plausibility.strong_password(value, "password ") for value in values] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_seed_phrase_has_hardly_a_word_twice() -> None:
    words = "candy maple cake sugar pudding cream honey rich smooth crumble sweet treat"
    assert plausibility.seed_phrase(words)
    assert not plausibility.seed_phrase("mnemonic " * 12)


def test_four_groups_of_letters_are_an_app_password_where_one_cannot_be_spoken() -> None:
    assert plausibility.app_password("qwrt abcd efgh ijkl")
    assert not plausibility.app_password("this must have more")


def test_among_fields_parted_by_colons_a_number_is_no_password() -> None:
    assert plausibility.field_password("w8Kd03nf", "db:5432:crm:app:")
    assert not plausibility.field_password("99999", "root:*:20228:0:")


def test_the_rest_of_a_line_ends_at_the_next_field_of_a_query() -> None:
    assert plausibility.line_password("Xk9#m&Q2", "PASSWORD=") == 8
    assert plausibility.line_password("Xk9#mQ2&ssl=true", "password=") == 7
    assert plausibility.line_password("None):", "password=") == 0


def test_a_token_alone_before_a_host_is_one_unless_an_error_trackers_public_key() -> None:
    assert plausibility.web_address_password(Draw(8).alnum(24), "https://")
    assert not plausibility.web_address_password(Draw(8).hex(32), "https://")
    assert plausibility.web_address_password("w8Kd03nf", "https://bot:")


def test_tokens_must_be_long_and_mixed() -> None:
    draw = Draw(1)
    assert plausibility.secret_value(draw.alnum(24), "api_key = ")
    assert plausibility.secret_value(draw.hex(32), "token: ")
    assert not plausibility.secret_value(draw.alnum(11), "api_key = ")
    assert plausibility.secret_value(draw.uuid(), "api_key = ")
    assert not plausibility.secret_value(draw.uuid(), "key = ")
    assert not plausibility.secret_value("1234567890987654", "api_key = ")
    assert not plausibility.secret_value("rust_openssl.hpke.Ed25519PrivateKey", "key = ")
    assert not plausibility.secret_value("ASAuthorizationAppleIDProvider", "secret = ")
    assert not plausibility.secret_value("some-long-secret-name-2", "secret_name = ")


def test_the_name_can_say_that_it_is_no_secret() -> None:
    value = Draw(2).alnum(24)
    harmless = ("csrf_token = ", '"nextPageToken": "', "public_key: '", "continuation-token=")
    assert [plausibility.secret_value(value, before) for before in harmless] == [False] * 4
    assert plausibility.secret_value(value, "see example. auth_token = ")


@pytest.mark.parametrize(
    ("value", "before", "secret"),
    [
        ("w8Kd03nf", "postgres://app:", True),
        ("postgres", "postgres://postgres:", False),
        ("app", "postgres://app:", False),
        ("${PASS}", "postgres://app:", False),
        ("xxxx", "postgres://app:", False),
        ("{password}", "postgres://app:", False),
    ],
)
def test_passwords_of_addresses(value: str, before: str, secret: bool) -> None:
    assert plausibility.url_password(value, before) is secret


def test_basic_credentials_are_user_and_password() -> None:
    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    assert plausibility.basic_credentials(encoded("svc:w8Kd03nf"))
    assert plausibility.basic_credentials(encoded("svc:w8Kd03nf!").rstrip("="))
    assert not plausibility.basic_credentials(encoded("user:password"))
    assert not plausibility.basic_credentials(encoded("nothing at all"))
    assert not plausibility.basic_credentials("documentation")


@pytest.mark.parametrize(
    "name",
    [
        "pagerduty_token",
        "PADDLE_API_KEY",
        "nextauth_secret",
        "CURSOR_API_KEY",
        "HASHICORP_TOKEN",
        "PAGE_ACCESS_TOKEN",
    ],
)
def test_a_harmless_word_within_the_name_of_a_vendor_says_nothing(name: str) -> None:
    assert plausibility.secret_value(VALUE, f"{name}=")


@pytest.mark.parametrize(
    "name",
    [
        "page_token",
        "nextPageToken",
        "csrftoken",
        "PUBLIC_API_KEY",
        "password_hash",
        "sort_key",
        "pad_token",
        "syncToken",
    ],
)
def test_a_harmless_word_of_a_name_says_that_no_secret_is_meant(name: str) -> None:
    assert not plausibility.secret_value(VALUE, f"{name}=")


def test_two_underscores_are_no_placeholder_within_a_token() -> None:
    assert not plausibility.placeholder("ls__" + Draw(1).hex(32))
    assert plausibility.placeholder("__API_KEY__")


def test_small_letters_that_nobody_could_say_are_a_password() -> None:
    assert plausibility.password_value("qwjfxkzmtpbv", "MINIO_ROOT_PASSWORD=")
    assert not plausibility.password_value("Rechtsschutz", "Passwort: ")
    assert not plausibility.password_value("PassConcept", "struct PassModel : ")


def test_what_is_typed_into_a_form_needs_no_name() -> None:
    assert plausibility.nameless_password("B1gD4ta#Lake")
    assert not plausibility.nameless_password("wrong-password")


@pytest.mark.parametrize(
    ("value", "before"),
    [
        ("{token}", 'ENV WEATHER_KEY="'),
        ("{hex}", "WEATHER_KEY="),
        ("wth_{token}", "- key: "),
        ("wth-{token}", 'const weatherKey: string = "'),
        ("{token}", "board_pat = '"),
    ],
)
def test_the_key_of_any_service_is_told_by_chance_and_by_no_other_name(value: str, before: str) -> None:
    draw = Draw(3)
    assert plausibility.key_value(value.format(token=draw.alnum(28), hex=draw.hex(32)), before)


@pytest.mark.parametrize(
    ("value", "before"),
    [
        ("{token}", "CACHE_KEY="),
        ("{token}", '"sortKey": "'),
        ("{token}", "STRIPE_PUBLISHABLE_KEY="),
        ("{token}", "key: "),
        ("{token}==", "sec-websocket-key: "),
        ("deps-v2-{hash}", "key: "),
        ("{hash}", 'lookupTableKey = "'),
        ("{hash}", 'weatherKey = "'),
        ("uploads/2026/02/IMG_20260211_081455.jpg", 'Key="'),
        ("auth.session.token.v2.of.the.shop", 'const WEATHER_KEY = "'),
        ("your-api-key-goes-here-1234567", "WEATHER_KEY="),
    ],
)
def test_keys_of_things_open_nothing(value: str, before: str) -> None:
    draw = Draw(3)
    assert not plausibility.key_value(value.format(token=draw.alnum(28), hash=draw.hex(64)), before)


def test_what_a_command_stores_may_be_a_uuid() -> None:
    uuid = Draw(3).uuid()
    assert plausibility.stored_value(uuid, "gh secret set PROD_API_KEY --body ")
    assert not plausibility.stored_value(uuid, "gh secret set PROD_KEY_ID --body ")
    assert not plausibility.stored_value("production", "gh secret set PROD_API_KEY --body ")


def test_a_uuid_is_a_token_where_it_is_sent_as_one() -> None:
    uuid = Draw(3).uuid()
    for before in ("Authorization: Bearer ", "session_token=", "consul -token="):
        assert plausibility.secret_value(uuid, before)
    for before in ("client_token = '", "continuation_token: ", "request_id="):
        assert not plausibility.secret_value(uuid, before)


def test_a_passphrase_may_end_with_its_number() -> None:
    assert plausibility.told_password("harbor-juniper-meadow-glacier26", "redis-cli -a ")
    assert not plausibility.told_password("web-app-access-token2", "redis-cli -a ")


def test_filters_of_templates_and_sealed_secrets_are_no_passwords() -> None:
    assert not plausibility.password_value("b64enc2", "{{ .Values.postgres.password | ")
    assert plausibility.password_value("b64enc2", "{{ title }} password | ")
    assert not plausibility.password_value("AgB" + Draw(3).alnum(200), "password: ")


def test_the_value_of_a_constant_may_have_letters_only() -> None:
    assert plausibility.quoted_password("kind%regards", "define('DB_PASSWORD', '")
    assert not plausibility.quoted_password("kind%regards", "names('db_password', '")
