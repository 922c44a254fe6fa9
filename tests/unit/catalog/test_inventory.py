"""What is looked for, as data: every row of the bundled file is sound, and a row that is not names itself."""

from __future__ import annotations

import pytest

from agent.catalog.apps import bundled_apps
from agent.catalog.inventory import PLATFORMS, bundled_wanted, parse_wanted, platform_name
from agent.errors import ConfigError
from agent.model.inventory import Software, Source, Wanted

APPS = bundled_apps()


def parsed(text: str, platform: str = "linux", *own: Software) -> Wanted:
    return parse_wanted(text, platform, APPS, own, source="inventory")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_source_of_a_platform_has_its_places_and_every_name_its_app(platform: str) -> None:
    wanted = bundled_wanted(platform, APPS)
    here = {place.source for place in wanted.places}
    assert {Source.COMMANDS, Source.NPM, Source.PYTHON, Source.VSCODE, Source.CHROMIUM} <= here
    known = {app.id for app in APPS}
    named = {each.app for each in (*wanted.servers, *wanted.configs) if each.app != "mcporter"}
    assert named | {place.host for place in wanted.places if place.host} <= known


def test_the_agents_of_this_field_are_looked_for() -> None:
    ids = {each.id for each in bundled_wanted("macos", APPS).software}
    assert {"claude-code", "codex", "gemini-cli", "cursor", "github-copilot", "ollama", "lm-studio"} <= ids
    assert {"claude-in-chrome", "chatgpt-desktop", "gpt4all", "local-ai", "jetbrains-ai"} <= ids


def test_ids_of_browser_extensions_are_written_as_browsers_write_them() -> None:
    for row in bundled_wanted("linux", APPS).software:
        for name in row.names.get(Source.CHROMIUM, ()):
            assert len(name) == 32, row.id
            assert set(name) <= set("abcdefghijklmnop"), row.id


def test_a_row_takes_its_name_from_the_catalog_and_a_policys_row_takes_its_place() -> None:
    text = '[[software]]\nid = "codex"\nnpm = ["@openai/Codex"]\n'
    (row,) = parsed(text).software
    assert (row.name, row.vendor, row.names) == ("Codex", "OpenAI", {Source.NPM: ("@openai/codex",)})
    own = Software(id="codex", name="Ours", names={Source.COMMANDS: ("our-codex",)})
    assert parsed(text, "linux", own).software == (own,)


def test_places_are_those_of_the_platform() -> None:
    text = """
[[place]]
source = "vscode"
layout = "extensions"
any = ["~/.vscode/extensions"]
windows = ["%APPDATA%/Code"]
[[mcp]]
app = "cursor"
format = "json"
keys = ["a/b", "amp.x"]
macos = ["~/x.json"]
"""
    assert parsed(text).places[0].paths == ("~/.vscode/extensions",)
    assert parsed(text, "windows").places[0].paths == ("%APPDATA%/Code", "~/.vscode/extensions")
    assert parsed(text).configs == ()
    assert parsed(text, "macos").configs[0].keys == (("a", "b"), ("amp.x",))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[[software]]\nid = "x"\nnpm = ["a"]', "needs a name"),
        ('[[software]]\nid = "codex"', "nothing to be found by"),
        ('[[software]]\nid = "codex"\nnpm = ["*"]', "alone is everything"),
        ('[[software]]\nid = "codex"\ncargo = ["x"]', "unknown cargo"),
        ('[[software]]\nid = "X"\nname = "X"\nnpm = ["a"]', "lower-case"),
        ('[[software]]\nid = "codex"\nnpm = ["a"]\n' * 2, "in two rows"),
        ('[[place]]\nsource = "cargo"\nlayout = "names"', "no source 'cargo'"),
        ('[[place]]\nsource = "npm"\nlayout = "x"', "no layout 'x'"),
        ('[[place]]\nsource = "npm"\nlayout = "names"\nany = ["etc"]', "no path from"),
        ('[[place]]\nsource = "npm"\nlayout = "names"\nany = ["/a/../b"]', "no path from"),
        ('[[server]]\napp = "ollama"\nmodels = "/x"', "go together"),
        ('[[server]]\napp = "ollama"\nmodels = "x"\nnames = ["a"]', "must be a path"),
        ('[[mcp]]\napp = "cursor"\nformat = "xml"\nkeys = ["a"]\nany = ["/a"]', "no format 'xml'"),
        ('[[mcp]]\napp = "cursor"\nformat = "json"\nkeys = []\nany = ["/a"]', "at least one of 'keys'"),
        ("[[thing]]", "unknown thing"),
    ],
)
def test_a_row_that_is_not_sound_names_itself(text: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named) as refused:
        parsed(text)
    assert "inventory" in str(refused.value)


def test_platforms_are_named_as_people_name_them() -> None:
    assert [platform_name(each) for each in ("linux", "darwin", "win32")] == ["linux", "macos", "windows"]
