"""Asks the gateway in this container whether it lives. Standard library only: it runs every few seconds.

`healthcheck.py [URL]`; exit status 0 where the answer is 200.
"""

from __future__ import annotations

import sys
import urllib.request

DEFAULT = "http://127.0.0.1:8080/healthz"


def main(arguments: list[str]) -> int:
    """The exit status."""
    url = arguments[0] if arguments else DEFAULT
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy of the environment
    try:
        with opener.open(url, timeout=2) as answer:
            return 0 if answer.status == 200 else 1
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
