"""An installation finds out whether it is whole, with a supervisor, an engine and an exchange of its own."""

from __future__ import annotations

import json
import subprocess
import sys


def test_every_trial_passes_here() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agent", "self-test", "--json"],
        capture_output=True,
        timeout=100,
        check=False,
    )
    told = json.loads(done.stdout)
    assert [each for each in told["trials"] if not each["ok"]] == []
    assert (done.returncode, told["ok"], told["frozen"]) == (0, True, False)
    assert any("redacted" in each["told"] for each in told["trials"])
