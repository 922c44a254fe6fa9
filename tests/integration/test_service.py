"""The service as the packages install it, beside an ordinary user who may not read its files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.integration.laptop import PERSON, STATE, Laptop, missing, until

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "never")


@pytest.fixture
def laptop() -> Iterator[Laptop]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as held:
        Path(name).chmod(0o755)
        machine = Laptop(Path(name), held)
        with machine.installed(capture="none", manage_environment="all"):
            assert until(lambda: machine.led == "proxy_set"), machine.log[-3000:]
            yield machine


def examined(laptop: Laptop, user: int) -> dict[str, Any]:
    """The doctor's checks, as that user sees them."""
    done = laptop.drawbridge("doctor", "--json", "--fast", user=user)
    assert done.stdout, done.stderr
    return {each["id"]: each for each in json.loads(done.stdout)["checks"]}


def test_an_ordinary_user_is_told_what_the_service_knows(laptop: Laptop) -> None:
    checks = examined(laptop, PERSON)
    assert "under its supervisor" in checks["agent.running"]["seen"]
    for each in (
        "agent.ports",
        "state.disk",
        "state.trail",
        "way.settings",
        "way.proxy",
        "ca.valid",
        "way.pac",
    ):
        assert checks[each]["outcome"] == "ok", checks[each]
    assert "manage_environment = all" in checks["way.settings"]["seen"]
    assert str(STATE) in checks["agent.single"]["seen"]
    for each in ("state.chain", "state.keys", "state.permissions"):
        assert checks[each]["outcome"] == "skipped", checks[each]
        assert "sudo" in checks[each]["seen"]
    by_root = examined(laptop, 0)
    for each in ("agent.running", "way.settings", "way.proxy", "ca.valid", "policy.in_force"):
        assert by_root[each]["outcome"] == "ok", by_root[each]


def test_an_ordinary_user_is_told_what_is_wrong(laptop: Laptop) -> None:
    laptop.run(
        "sh",
        "-c",
        f"""echo '{{"state": "proxy_overridden", "at": 1, "reasons": ["kde: somebody"]}}' >{STATE}/run/settings.json""",
    )
    checks = examined(laptop, PERSON)
    assert checks["way.settings"]["outcome"] == "failed"
    assert "kde: somebody" in checks["way.settings"]["seen"]
