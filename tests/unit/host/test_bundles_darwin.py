"""The application around a program: the outermost bundle's Info.plist, read once and never beyond its limit."""

from __future__ import annotations

import plistlib
from pathlib import Path

import pytest

from agent.host.bundles_darwin import MAX_PLIST, Bundles, outermost


def plist_of(app: Path, content: bytes) -> None:
    (app / "Contents").mkdir(parents=True, exist_ok=True)
    (app / "Contents/Info.plist").write_bytes(content)


def test_helpers_belong_to_the_application_around_them(tmp_path: Path) -> None:
    app = tmp_path / "Visual Studio Code.app"
    helper = app / "Contents/Frameworks/Code Helper (Plugin).app"
    plist_of(app, plistlib.dumps({"CFBundleIdentifier": "com.microsoft.VSCode"}))
    plist_of(helper, plistlib.dumps({"CFBundleIdentifier": "com.microsoft.VSCode.helper"}))
    executable = str(helper / "Contents/MacOS/Code Helper (Plugin)")
    assert outermost(executable) == str(app)
    assert Bundles().identifier(executable) == "com.microsoft.VSCode"


def test_binary_lists_are_read_too_and_changes_are_seen(tmp_path: Path) -> None:
    app = tmp_path / "A.app"
    bundles = Bundles()
    plist_of(app, plistlib.dumps({"CFBundleIdentifier": "one"}, fmt=plistlib.FMT_BINARY))
    assert bundles.identifier(str(app / "Contents/MacOS/a")) == "one"
    (app / "Contents/Info.plist").unlink()
    plist_of(app, plistlib.dumps({"CFBundleIdentifier": "two", "x": 1}))
    assert bundles.identifier(str(app / "Contents/MacOS/a")) == "two"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"bplist00",
        b"<plist>",
        plistlib.dumps(["a list"]),
        plistlib.dumps({"CFBundleIdentifier": 7}),
        plistlib.dumps({"CFBundleIdentifier": "x", "pad": "y" * MAX_PLIST}),
    ],
)
def test_what_is_no_list_of_that_kind_gives_nothing(tmp_path: Path, content: bytes) -> None:
    app = tmp_path / "A.app"
    plist_of(app, content)
    assert Bundles().identifier(str(app / "Contents/MacOS/a")) == ""


def test_a_program_in_no_bundle_has_none() -> None:
    assert outermost("/usr/bin/curl") is None
    assert Bundles().identifier("/usr/bin/curl") == ""
    assert Bundles().identifier("/Applications/Gone.app/Contents/MacOS/gone") == ""
