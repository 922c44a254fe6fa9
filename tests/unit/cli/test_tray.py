"""`drawbridge tray` by the ordinary command line: its options are its own."""

from __future__ import annotations

from tests.unit.cli.conftest import Drawbridge


def test_its_options_are_explained(drawbridge: Drawbridge) -> None:
    result = drawbridge("tray", "--help")
    assert result.exit_code == 0


def test_an_unknown_option_is_refused(drawbridge: Drawbridge) -> None:
    assert drawbridge("tray", "--no-such-thing").exit_code == 2
