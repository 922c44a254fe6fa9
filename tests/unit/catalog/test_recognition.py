"""Telling apps: the process first, then what the request says, and that only refines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.catalog.apps import bundled_apps
from agent.catalog.recognition import Apps
from agent.model.app import App, AppKind, Asker, Evidence, HeaderMark
from agent.model.traffic import UNSIGNED, Connection, Process, Program, Signature, Tier

APPS = Apps(bundled_apps())
CONNECTION = Connection(id="c", tier=Tier.RELAY)


def process(*line: Program, signature: Signature = UNSIGNED) -> Process:
    return Process(pid=1, name=line[0].name, executable=line[0].executable, line=line, signature=signature)


def program(
    executable: str, *, name: str = "", script: str = "", bundle: str = "", module: bool = False
) -> Program:
    stem = executable.replace("\\", "/").rpartition("/")[2]
    return Program(name=name or stem, executable=executable, script=script, bundle=bundle, is_module=module)


def connection(app: str, evidence: Evidence = Evidence.PROCESS, within: tuple[str, ...] = ()) -> Connection:
    return Connection(id="c", tier=Tier.RELAY, app=app, evidence=evidence, within=within)


CODE_ID = "com.anthropic.claude-code"


def signed(*, signer: str = "", team: str = "", identifier: str = "", package: str = "") -> Signature:
    return Signature(signer=signer, team=team, identifier=identifier, package=package, verified=True)


BASH = program("/usr/bin/bash")
CODE = program("/usr/share/code/code")
SYSTEMD = program("/usr/lib/systemd/systemd")
NODE = "/usr/bin/node"


@pytest.mark.parametrize(
    ("found", "app"),
    [
        (program("/home/u/.local/bin/claude"), "claude-code"),
        (program("/home/u/.local/share/claude/versions/2.0.14", name="claude"), "claude-code"),
        (program(r"C:\Users\u\.local\bin\claude.exe"), "claude-code"),
        (program(NODE, name="claude", script="/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js"), "claude-code"),
        (program(NODE, name="codex", script="/opt/node_modules/@openai/codex/bin/codex.js"), "codex"),
        (program("/opt/codex/bin/codex-x86_64-unknown-linux-musl"), "codex"),
        (program(NODE, name="gemini", script="/x/@google/gemini-cli/bundle/gemini.js"), "gemini-cli"),
        (program(NODE, name="qwen-code", script="/x/@qwen-code/qwen-code/cli.js"), "qwen-code"),
        (program("/usr/bin/python3.13", name="aider", script="aider", module=True), "aider"),
        (program("/usr/bin/python3.13", name="aider", script="aider.main", module=True), "aider"),
        (program("/usr/bin/python3.13", name="aider", script="/home/u/.local/bin/aider"), "aider"),
        (program("/usr/bin/python3.13", name="train", script="/home/u/train.py"), "python"),
        (program("/usr/bin/python3.13"), "python"),
        (program(NODE, name="server", script="/home/u/server.js"), "node"),
        (program("/opt/google/chrome/chrome"), "chrome"),
        (program("/Applications/Google Chrome.app/Contents/Frameworks/x/Google Chrome Helper (Renderer)"), "chrome"),
        (program("/x/Code Helper (Plugin)", bundle="com.microsoft.VSCode"), "vscode"),
        (program("/home/u/.vscode-server/cli/servers/Stable-1/server/node"), "vscode"),
        (program("/Applications/PyCharm.app/Contents/MacOS/pycharm", bundle="com.jetbrains.pycharm"), "jetbrains"),
        (program("/x/Claude.app/Contents/MacOS/Claude", bundle="com.anthropic.claudefordesktop"), "claude-desktop"),
        (program("/Applications/ChatGPT.app/Contents/MacOS/ChatGPT", bundle="com.openai.codex"), "chatgpt-desktop"),
        (program("/Applications/Warp.app/Contents/MacOS/stable"), "warp"),
        (program("/usr/bin/curl"), "curl"),
        (program("/usr/local/bin/acme"), ""),
        (Program(name=""), ""),
    ],
)  # fmt: skip
def test_a_program_is_told_by_name_path_bundle_script_or_module(found: Program, app: str) -> None:
    asker = APPS.behind(process(found))
    assert asker.app == app
    assert asker.evidence is (Evidence.PROCESS if app else Evidence.NONE)


def test_what_started_it_is_told_too_each_once_and_tools_not() -> None:
    claude, python = (
        program("/home/u/.local/bin/claude"),
        program("/usr/bin/python3", script="/x/run.py", name="run"),
    )
    assert APPS.behind(process(claude, BASH, python, BASH, CODE, CODE, SYSTEMD)) == Asker(
        app="claude-code", evidence=Evidence.PROCESS, seen="claude-code", within=("vscode",)
    )
    tool = APPS.behind(process(program("/usr/bin/curl"), BASH, claude, BASH, CODE))
    assert (tool.app, tool.within) == ("curl", ("claude-code", "vscode"))
    stranger = APPS.behind(process(program("/home/u/mcp"), claude, CODE))
    assert (stranger.app, stranger.within) == ("", ("claude-code", "vscode"))


def test_a_program_that_lies_with_the_app_that_started_it_is_part_of_it() -> None:
    cursor = program("/usr/share/cursor/cursor")
    helper = program("/usr/share/cursor/resources/app/helpers/indexer")
    own_node = program("/opt/acme/code/node", script="/opt/acme/code/ext.js", name="ext")
    assert APPS.behind(process(helper, cursor)).app == "cursor"
    assert APPS.behind(process(own_node, program("/opt/acme/code/code"))).app == "vscode"
    beside = APPS.behind(process(program("/usr/bin/mine"), program("/usr/bin/claude")))
    assert (beside.app, beside.within) == ("", ("claude-code",)), "all programs lie in /usr/bin"


@pytest.mark.parametrize(
    ("found", "signature", "app", "evidence"),
    [
        (program("/x/claude"), signed(team="Q6L2SF6YDW", identifier=CODE_ID), "claude-code", Evidence.SIGNED),
        (program("/x/renamed"), signed(team="Q6L2SF6YDW", identifier=CODE_ID), "claude-code", Evidence.SIGNED),
        (program("/x/claude"), signed(team="EVIL", identifier=CODE_ID), "claude-code", Evidence.PROCESS),
        (program("/x/claude"), Signature(team="Q6L2SF6YDW", identifier=CODE_ID), "claude-code", Evidence.PROCESS),
        (program(r"C:\x\claude.exe"), signed(signer="Anthropic, PBC"), "claude-code", Evidence.SIGNED),
        (program(r"C:\x\claude.exe"), signed(signer="Evil Ltd"), "claude-code", Evidence.PROCESS),
        (program("/usr/share/code/code"), signed(package="code"), "vscode", Evidence.SIGNED),
        (program("/usr/share/code/code"), signed(package="other"), "vscode", Evidence.PROCESS),
        (program("/usr/lib/x/crashpad"), signed(package="google-chrome-beta"), "chrome", Evidence.SIGNED),
        (program("/x/Code", bundle="com.microsoft.VSCode"), signed(team="UBF8T346G9"), "vscode", Evidence.SIGNED),
        (program(NODE, script="/x/@openai/codex/codex.js"), signed(team="HX7739G8FX"), "codex", Evidence.PROCESS),
    ],
)  # fmt: skip
def test_only_the_apps_own_maker_makes_it_signed(
    found: Program, signature: Signature, app: str, evidence: Evidence
) -> None:
    asker = APPS.behind(process(found, signature=signature))
    assert (asker.app, asker.evidence) == (app, evidence)


@pytest.mark.parametrize(
    ("headers", "app"),
    [
        ([(b"user-agent", b"claude-cli/2.0.14 (external, cli)")], "claude-code"),
        ([(b"x-app", b"cli"), (b"user-agent", b"curl/8")], "claude-code"),
        ([(b"x-app", b"cli-bg")], ""),
        ([(b"originator", b"codex_cli_rs")], "codex"),
        ([(b"user-agent", b"codex_vscode/0.50.0")], "codex"),
        ([(b"user-agent", b"GeminiCLI/0.1.9/gemini-2.5-pro (linux; x64)")], "gemini-cli"),
        ([(b"copilot-integration-id", b"vscode-chat")], "github-copilot"),
        ([(b"editor-plugin-version", b"copilot-chat/0.31.0")], "github-copilot"),
        ([(b"x-title", b"Cline"), (b"user-agent", b"OpenAI/JS 4.1")], "cline"),
        ([(b"user-agent", b"Mozilla/5.0 (X11) Chrome/140")], ""),
        ([(b"user-agent", b"python-httpx/0.28")], ""),
        ([], ""),
    ],
)
def test_a_request_names_its_app_by_headers(headers: list[tuple[bytes, bytes]], app: str) -> None:
    assert APPS.claimed(headers) == app


def test_an_extension_is_told_within_its_host_and_stays_a_claim() -> None:
    assert APPS.asker(connection("vscode", Evidence.SIGNED, ("warp",)), "cline") == Asker(
        app="cline", evidence=Evidence.CLAIMED, seen="vscode", claimed="cline", within=("vscode", "warp")
    )
    assert APPS.asker(connection("vscode"), "cline").vouched


def test_a_program_that_says_it_is_another_is_what_it_is() -> None:
    for seen in ("curl", "python", "chrome", "opencode"):
        asker = APPS.asker(connection(seen), "claude-code")
        assert (asker.app, asker.evidence, asker.claimed) == (seen, Evidence.PROCESS, "claude-code")


def test_where_the_process_says_nothing_a_claim_is_marked_as_one() -> None:
    asker = APPS.asker(connection("", Evidence.NONE, ("vscode",)), "claude-code", "claude-desktop")
    assert (asker.app, asker.evidence, asker.seen) == ("claude-code", Evidence.CLAIMED, "")
    assert not asker.vouched


def test_the_endpoint_is_the_last_that_is_asked() -> None:
    assert APPS.asker(CONNECTION, "", "claude-desktop") == Asker(
        app="claude-desktop", evidence=Evidence.ENDPOINT
    )
    assert APPS.asker(connection("chrome"), "", "claude-desktop").app == "chrome"
    assert APPS.asker(CONNECTION) == Asker()


def test_a_sandbox_names_an_app_that_nothing_else_tells() -> None:
    found = replace(process(program("/app/extra/bin/x")), sandbox="flatpak:com.visualstudio.code")
    assert APPS.behind(found) == Asker(app="vscode", evidence=Evidence.PROCESS, seen="vscode")


def test_a_part_of_a_path_is_no_part_of_another_name() -> None:
    assert APPS.behind(process(program("/usr/bin/qemu-system-x86_64"))).app == ""
    assert APPS.behind(process(program("/home/u/openclaw-notes/run"))).app == ""


def test_a_later_row_takes_the_place_of_an_earlier() -> None:
    mine = App(
        id="claude-code",
        name="x",
        vendor="x",
        kind=AppKind.AGENT,
        names=("c-*",),
        headers=(HeaderMark(name="x-c"),),
    )
    apps = Apps((*bundled_apps(), mine))
    assert apps.get("claude-code") is mine
    assert apps.behind(process(program("/x/C-7.exe"))).app == "claude-code"
    assert apps.behind(process(program("/x/claude"))).app == ""
    assert apps.claimed([(b"x-c", b"1")]) == "claude-code"
    assert sum(app.id == "claude-code" for app in apps) == 1


@given(
    st.lists(st.tuples(st.sampled_from([b"user-agent", b"x-app", b"originator", b"x-title"]), st.binary())),
    st.text(),
    st.text(),
)
def test_nothing_that_comes_from_outside_is_too_strange(
    headers: list[tuple[bytes, bytes]], name: str, path: str
) -> None:
    claimed = APPS.claimed(headers)
    asker = APPS.asker(connection(""), claimed)
    assert asker.evidence in (Evidence.NONE, Evidence.CLAIMED)
    APPS.behind(process(Program(name=name, executable=path, script=path, bundle=name), Program(name=path)))
