"""The apps as data: every row of the bundled file is sound, and a row that is not names itself."""

from __future__ import annotations

import pytest

from agent.catalog.apps import bundled_apps, parse_apps
from agent.errors import ConfigError
from agent.model.app import AppKind, HeaderMark

AGENTS = {
    *("claude-code", "codex", "gemini-cli", "antigravity", "github-copilot", "cursor", "windsurf", "zed"),
    *("opencode", "cline", "roo", "kilo", "continue", "aider", "amp", "kiro", "jetbrains", "junie"),
    *("tabnine", "cody", "augment", "warp", "goose", "qwen-code", "kimi-cli", "grok-cli", "qoder"),
    *("codebuddy", "trae", "factory-droid", "crush", "pi", "hermes", "dsh", "openclaw", "visual-studio"),
    *("xcode", "android-studio", "kiro-cli", "amazon-q"),
}
ROW = 'id = "acme"\nname = "Acme"\nvendor = "Acme"\nkind = "agent"\n'


def text(*rows: str) -> str:
    return "\n".join(f"[[app]]\n{row}" for row in rows)


def test_the_agents_desktop_apps_and_browsers_of_this_field_are_there() -> None:
    apps = {app.id: app for app in bundled_apps()}
    assert apps.keys() >= AGENTS
    assert {"chrome", "edge", "firefox", "safari", "brave", "arc", "vivaldi", "opera", "comet"} <= {
        app.id for app in apps.values() if app.kind is AppKind.BROWSER
    }
    assert {"chatgpt-desktop", "claude-desktop"} <= {
        app.id for app in apps.values() if app.kind is AppKind.DESKTOP
    }


def test_every_row_can_be_told_by_something() -> None:
    for app in bundled_apps():
        by = (app.names, app.paths, app.scripts, app.modules, app.bundles, app.user_agents, app.headers)
        assert any(by), app.id
        assert not app.signing_ids or app.teams, f"{app.id}: whoever signs may choose the identifier"


def test_parts_of_paths_are_written_so_that_they_fit() -> None:
    for app in bundled_apps():
        for part in (*app.paths, *app.scripts):
            assert "/" in part, (app.id, part)
            assert "\\" not in part, (app.id, part)
        assert all(path == path.lower() for path in app.paths), app.id


def test_a_row_says_everything_it_says() -> None:
    more = 'names = ["acme"]\nheaders = ["X-Acme: v*", "x-other"]\nhosted_by = ["both", "acme"]\n'
    other = ROW.replace("acme", "ide").replace("agent", "ide")
    groups = '[groups]\nboth = ["ide", "acme"]\n'
    app, _ = parse_apps(groups + text(ROW + more, other), source="a.toml")
    assert app.names == ("acme",)
    assert app.headers == (HeaderMark(name="x-acme", value="v*"), HeaderMark(name="x-other"))
    assert app.hosted_by == ("ide",), "nothing lives in itself"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([ROW + "colour = 1"], "colour"),
        ([ROW.replace("kind", "sort")], "kind"),
        ([ROW.replace('"agent"', '"thing"')], "thing"),
        ([ROW.replace('"acme"', '"Acme Corp"', 1)], "lower-case"),
        ([ROW, ROW], "two rows"),
        ([ROW + 'names = ["a[bc]"]'], "only '\\*'"),
        ([ROW + 'headers = ["a b"]'], "no header"),
        ([ROW + 'headers = ["a:"]'], "no header"),
        ([ROW + 'hosted_by = ["nobody"]'], "nobody"),
        ([ROW + 'names = "acme"'], "list of texts"),
    ],
)
def test_what_is_wrong_is_named_with_its_row(rows: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        parse_apps(text(*rows), source="a.toml")
    assert "a.toml" in str(caught.value)
