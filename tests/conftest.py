"""What every test shares: how hard hypothesis tries.

`DRAWBRIDGE_HYPOTHESIS=deep` searches for minutes; the default is for the run before a commit.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

for _name, _examples in (("fast", 25), ("deep", 2000)):
    settings.register_profile(
        _name,
        max_examples=_examples,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
settings.load_profile(os.environ.get("DRAWBRIDGE_HYPOTHESIS", "fast"))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes make no readable names, and compressed ones differ from run to run."""
    return argname if isinstance(val, bytes) else None
