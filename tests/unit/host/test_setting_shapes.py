"""A shape accepts what its reader accepts."""

from __future__ import annotations

import jsonschema
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from agent.host.setting_shapes import (
    PATH,
    PORT,
    PROXY,
    RESOLVE,
    SWITCH,
    TEXT,
    Kind,
    Shape,
    choice_shape,
    shape_of,
)
from agent.host.setting_values import (
    BadValueError,
    Choice,
    log_level,
    path,
    port,
    proxy_url,
    resolve_list,
    switch,
    text,
)

WORDS = Choice(("pac", "none"))
READERS = {
    "text": (text, TEXT),
    "path": (path, PATH),
    "port": (port, PORT),
    "switch": (switch, SWITCH),
    "proxy": (proxy_url, PROXY),
    "resolve": (resolve_list, RESOLVE),
    "choice": (WORDS, choice_shape(WORDS.words)),
}

BLANKS = st.sampled_from(["", "", "", " ", "\t", "  \n"])
PLAIN = st.text(alphabet="aZ9é /~\\:.,=-_[]@?#\n\x00\x7f", max_size=12)
HOSTS = st.sampled_from(["a", "api.example.com", "A-b_c", "1.2.3.4", "[::1]", "a b", "", "*", "é"])
PORTS = st.sampled_from(["0", "1", "080", "443", "65535", "65536", "", "x", "-1"])
ENTRIES = st.builds(lambda a, b, c, d: f"{a}:{b}={c}:{d}", HOSTS, PORTS, HOSTS, PORTS) | st.just("a:1 = b:2")
NUMBERS = st.integers(-2, 3) | st.integers(65530, 65540) | st.integers()
TEXTS = st.one_of(
    PLAIN,
    st.builds(lambda a, b, c: a + b + c, BLANKS, PLAIN, BLANKS),
    st.builds(lambda a, n, b: f"{a}{n}{b}", BLANKS, st.integers(-1, 70000), BLANKS),
    st.builds(lambda a, rest: f"{a}{rest}", st.sampled_from(["/", "~/", "./"]), PLAIN),
    st.builds(
        lambda scheme, host, number, end: f"{scheme}://{host}:{number}{end}",
        st.sampled_from(["http", "HTTPS", "socks5"]),
        HOSTS,
        PORTS,
        st.sampled_from(["", "/", "/x", "?", "#"]),
    ),
    st.builds(", ".join, st.lists(ENTRIES, max_size=3)),
    st.sampled_from(["none", "NONE", "Pac", "true", "Off", "yes", "1", "01"]),
)
VALUES = (
    st.none()
    | st.booleans()
    | NUMBERS
    | TEXTS
    | st.lists(ENTRIES | PLAIN, max_size=3)
    | st.dictionaries(PLAIN, PLAIN)
)


def reads(reader: object, value: object) -> bool:
    try:
        reader(value)  # type: ignore[operator]
    except BadValueError:
        return False
    return True


def beyond_json_schema(name: str, value: object) -> bool:
    """What only the machine itself can judge."""
    match name, value:
        case "path", str():  # users that exist, paths of Windows
            return value.strip().startswith("~") or ":" in value or "\\" in value
        case "resolve", str() | list():  # one host and port twice, in other words
            told = value.replace(",", " ").split() if isinstance(value, str) else value
            asked = [str(each).lower().split("=")[0].replace(":080", ":80").replace(" ", "") for each in told]
            return len(set(asked)) < len(asked)
        case _:
            return False


@pytest.mark.parametrize("name", READERS)
@given(value=VALUES)
@hypothesis_settings(max_examples=120, deadline=None)
def test_a_shape_accepts_exactly_what_its_reader_accepts(name: str, value: object) -> None:
    reader, shape = READERS[name]
    accepted = jsonschema.Draft202012Validator(shape.accepted).is_valid(value)
    if accepted and beyond_json_schema(name, value):
        return
    assert accepted == reads(reader, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("path", "/etc/drawbridge"),
        ("path", "~/x"),
        ("port", 7717),
        ("port", " 7717 "),
        ("proxy", "http://[::1]:3128/"),
        ("resolve", ["api.example.com:443=[::1]:8443"]),
        ("resolve", "a:1=b:2, c:3=d:4"),
        ("resolve", ""),
        ("switch", 1),
        ("switch", "Off"),
        ("choice", "PAC"),
    ],
)
def test_shape_and_reader_meet_in_what_people_write(name: str, value: object) -> None:
    reader, shape = READERS[name]
    assert reads(reader, value)
    assert jsonschema.Draft202012Validator(shape.accepted).is_valid(value)


@pytest.mark.parametrize("value", [r"C:\ProgramData\Drawbridge", "C:/x", r"\\server\share"])
def test_paths_of_windows_are_paths(value: str) -> None:
    assert jsonschema.Draft202012Validator(PATH.accepted).is_valid(value)


def test_a_form_is_never_wider_than_what_is_accepted_in_kind() -> None:
    for _, shape in READERS.values():
        jsonschema.Draft202012Validator.check_schema(shape.form)
        jsonschema.Draft202012Validator.check_schema(shape.accepted)


def test_readers_are_known_by_what_they_are() -> None:
    assert {name: shape_of(reader) for name, (reader, _) in READERS.items()} == {
        name: shape for name, (_, shape) in READERS.items()
    }
    found = shape_of(log_level)
    assert isinstance(found, Shape)
    assert (found.kind, found.words) == (Kind.CHOICE, ("debug", "info", "warning", "error"))
    assert shape_of(len) is None
