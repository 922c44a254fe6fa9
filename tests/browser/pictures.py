"""Pictures of the dashboard, of a real agent with the demo's traffic: `python -m tests.browser.pictures FOLDER`.

Two for the README, and, with `--all`, narrow ones and every section for whoever works on the page.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from agent.cli.demo import rehearsal
from agent.cli.demo.stage import Stage, built
from agent.control.client import Control
from agent.host.settings import Settings
from tests.browser.chromium import Chromium, Page

_TOO_WIDE = """[...document.querySelectorAll('body *')].filter((each) => !each.closest('.scroll, nav, .hidden, .skip')
    && each.getBoundingClientRect().right > innerWidth + 1).map((each) => each.tagName + '.' + each.className)"""
WIDE, NARROW = (1180, 900), (400, 860)


def shown(page: Page, size: tuple[int, int], scheme: str) -> None:
    """Have the page as that large, light or dark."""
    page.call(
        "Emulation.setDeviceMetricsOverride",
        width=size[0],
        height=size[1],
        deviceScaleFactor=1,
        mobile=size is NARROW,
    )
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])


def take(stage: Stage, folder: Path, *, everything: bool) -> None:
    """Take the pictures."""
    control = Control(Settings(state_dir=Path(stage.agent.state_dir)))
    with tempfile.TemporaryDirectory(prefix="pictures-") as home, Chromium(Path(home)) as browser:
        page = browser.page(control.ask("dashboard")["url"])
        page.wait(
            "document.querySelectorAll('#lines .line').length > 5 && document.querySelector('#rules tr')"
        )
        for scheme in ("light", "dark"):
            shown(page, WIDE, scheme)
            page.run("scrollTo({top: 0, behavior: 'instant'}); document.querySelector('#filter').blur()")
            page.picture(folder / f"dashboard-{scheme}.png")
            if not everything:
                continue
            for section in ("traffic", "findings", "policy", "hosts"):
                page.run(f"document.getElementById('{section}').scrollIntoView({{behavior: 'instant'}})")
                page.picture(folder / f"{section}-{scheme}.png")
            shown(page, NARROW, scheme)
            print(page.run(_TOO_WIDE))
            for section in ("state", "traffic", "use", "policy"):
                page.run(f"document.getElementById('{section}').scrollIntoView({{behavior: 'instant'}})")
                page.picture(folder / f"narrow-{section}-{scheme}.png")
        if everything:
            shown(page, WIDE, "light")
            page.run("document.querySelector('.more').click()")
            page.wait("document.querySelector('.detail')")
            page.run("document.getElementById('traffic').scrollIntoView({behavior: 'instant'})")
            page.picture(folder / "detail.png")
            control.ask("pause", {"minutes": 15, "reason": "the proxy of the hotel"})
            page.wait("document.getElementById('word').textContent === 'Paused'")
            page.run("scrollTo({top: 0, behavior: 'instant'})")
            page.picture(folder / "paused.png")
            page.go(f"http://127.0.0.1:{stage.agent.dashboard_port}/notice")
            page.picture(folder / "notice.png")


async def main(folder: Path, *, everything: bool) -> None:
    """Play the demo, then look."""
    folder.mkdir(parents=True, exist_ok=True)
    rehearsal.load_sdks()
    with tempfile.TemporaryDirectory(prefix="drawbridge-demo-") as directory:
        async with built(Path(directory), None) as stage:
            for _ in range(3):
                await rehearsal.play(stage, lambda _: None, ours=True)
            await asyncio.to_thread(take, stage, folder, everything=everything)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), everything="--all" in sys.argv))
