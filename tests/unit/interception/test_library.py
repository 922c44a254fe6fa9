"""mitmproxy as a library: nothing of it that we do not want."""

from __future__ import annotations

import os
import subprocess
import sys

from agent.interception.library import prepare

SCRIPT = """
import os, sys, logging, warnings
warnings.simplefilter("ignore")
os.environ["SSLKEYLOGFILE"] = os.environ["MITMPROXY_SSLKEYLOGFILE"] = "keys.log"
from agent.interception.library import prepare
prepare()
prepare()
assert "SSLKEYLOGFILE" not in os.environ and "MITMPROXY_SSLKEYLOGFILE" not in os.environ
import agent.interception.engine
import addons
for name in ("flask", "tornado", "ldap3", "mitmproxy.tools", "mitmproxy.addons.onboarding"):
    assert name not in sys.modules, name
assert not logging.getLogger("mitmproxy.proxy.server").isEnabledFor(logging.INFO)
assert not logging.getLogger("hpack").isEnabledFor(logging.DEBUG)
"""


def test_no_keys_are_logged_and_no_web_frameworks_are_imported() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr


def test_preparing_again_changes_nothing() -> None:
    before = sys.modules["mitmproxy.addons"]
    prepare()
    assert sys.modules["mitmproxy.addons"] is before
