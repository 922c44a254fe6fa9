"""mitmproxy is imported the way the agent imports it; what its own dependencies warn of is not ours to mend."""

from __future__ import annotations

import warnings

from agent.interception import library

library.prepare()
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import agent.interception.engine  # noqa: F401
