"""Writes installers/mdm/ and the table in docs/mdm.md, by the commands that an administrator has: `make schema`."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from agent.cli.main import app

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "installers" / "mdm"
PAGE = ROOT / "docs" / "mdm.md"
BEGIN, END = "<!-- written by `make schema` -->\n", "<!-- end -->\n"

SAMPLES = {
    "drawbridge.mobileconfig": ("template", "mobileconfig"),
    "drawbridge.admx": ("template", "admx"),
    "en-US/drawbridge.adml": ("template", "adml"),
    "intune.json": ("template", "intune"),
    "jamf.json": ("template", "jamf"),
    "fleet.yml": ("template", "fleet"),
    "managed.json": ("template", "json"),
    "drawbridge.reg": ("template", "reg"),
    "settings.schema.json": ("schema",),
}


def printed(*arguments: str) -> bytes:
    """What `drawbridge config` prints."""
    done = CliRunner().invoke(app, ["config", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout_bytes


def page(text: str) -> str:
    """The page with the table of now."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + printed("schema", "--markdown").decode() + END + rest.split(END)[1]


def main() -> None:
    """Write them all."""
    for name, arguments in SAMPLES.items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_bytes(printed(*arguments))
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
