"""The person who runs this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import UpstreamError
from agent.host.settings import Settings
from agent.signin.here import person_of, store_of_person, web_of
from tests.fakes.people import nobody


class Silent:
    """An agent on which sign-in is not set up."""

    def ask(self, verb: str, arguments: object = None) -> dict[str, object]:
        del verb, arguments
        return {"sign_in": nobody().standing("ada"), "was": ""}


def test_a_person_is_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    settings = Settings(state_dir=tmp_path)
    assert person_of(Silent(), settings).renew() is None
    assert store_of_person().file.is_relative_to(tmp_path)


def test_the_settings_proxy_is_taken(tmp_path: Path) -> None:
    web = web_of(Settings(state_dir=tmp_path, upstream_proxy="http://127.0.0.1:1"))
    with pytest.raises(UpstreamError, match=r"id\.example does not answer"):
        web.get("https://id.example/")
