"""Managed settings of macOS: a property list."""

from __future__ import annotations

import plistlib
from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.host.managed_darwin import PreferencesFile


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_both_forms_of_property_list_are_read_without_the_profiles_own_keys(
    tmp_path: Path, form: plistlib.PlistFormat
) -> None:
    file = tmp_path / "p.plist"
    file.write_bytes(plistlib.dumps({"proxy_port": 1, "resolve": ["a"], "PayloadUUID": "x"}, fmt=form))
    assert PreferencesFile(file).read() == {"proxy_port": 1, "resolve": ["a"]}


def test_no_file_means_no_managed_settings(tmp_path: Path) -> None:
    assert PreferencesFile(tmp_path / "none").read() == {}


@pytest.mark.parametrize(
    "content", [b"", b"<plist>", b"bplist00", b"bplist00" + bytes(40), plistlib.dumps(["x"])]
)
def test_what_is_no_dictionary_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "p.plist"
    file.write_bytes(content)
    with pytest.raises(ConfigError):
        PreferencesFile(file).read()
