"""Paths: however an inference path is spelled, it is the same path."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.catalog.paths import PathTemplate, normalise, split

CHAT = PathTemplate.compile("/v1/chat/completions")
ANYWHERE = PathTemplate.compile("**/chat/completions")
GEMINI = PathTemplate.compile("**/models/{model}:generateContent")
DEPLOYMENT = PathTemplate.compile("/openai/deployments/{name}/chat/completions")


@pytest.mark.parametrize(
    "spelling",
    [
        "/v1/chat/completions",
        "/v1/chat/completions/",
        "//v1//chat///completions",
        "/v1/./chat/completions",
        "/v1/x/../chat/completions",
        "/../../v1/chat/completions",
        "/v1/%63hat/completions",
        "/v1%2Fchat/completions",
        "/v1/x/%2e%2e/chat/completions",
        "/v1\\chat\\completions",
        "/v1/chat;a=1/completions;jsessionid=2",
        "/v1/x/..;/chat/completions",
        "/V1/Chat/COMPLETIONS",
        "v1/chat/completions",
    ],
)
def test_every_spelling_of_an_inference_path_is_recognised(spelling: str) -> None:
    assert CHAT.matches(normalise(spelling))


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/v1/chat",
        "/v1/chat/completions/x",
        "/v1/chat/completions2",
        "/x/v1/chat/completions",
        "/v1/chatcompletions",
    ],
)
def test_other_paths_are_other_paths(path: str) -> None:
    assert not CHAT.matches(normalise(path))


@pytest.mark.parametrize("path", ["/chat/completions", "/v1/chat/completions", "/a/b/c/chat/completions"])
def test_any_prefix_may_stand_before_a_path_that_asks_for_it(path: str) -> None:
    assert ANYWHERE.matches(normalise(path))


@pytest.mark.parametrize("path", ["/chat", "/xchat/completions", "/chat/completions/stream"])
def test_a_prefix_is_whole_segments_and_nothing_follows(path: str) -> None:
    assert not ANYWHERE.matches(normalise(path))


@pytest.mark.parametrize(
    ("path", "fits"),
    [
        ("/v1beta/models/gemini-3:generateContent", True),
        ("/v1beta/models/gemini-3%3AgenerateContent", True),
        ("/v1beta/models/gemini-3:streamGenerateContent", False),
        ("/v1beta/models/:generateContent", False),
        ("/v1beta/models/a/b:generateContent", False),
        ("/v1beta/models/gemini-3", False),
    ],
)
def test_a_name_stands_for_part_of_one_segment(path: str, fits: bool) -> None:
    assert GEMINI.matches(normalise(path)) is fits


def test_a_name_may_stand_for_a_whole_segment() -> None:
    assert DEPLOYMENT.matches(normalise("/openai/deployments/My Model/chat/completions"))
    assert not DEPLOYMENT.matches(normalise("/openai/deployments//chat/completions"))


@pytest.mark.parametrize("template", ["v1/x", "", "*/v1", "/v1/{a", "/v1/{a}{b}"])
def test_a_template_that_cannot_work_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="must"):
        PathTemplate.compile(template)


segment = st.text(st.characters(codec="ascii", exclude_characters="/\\%?#;."), min_size=1, max_size=6)


@given(st.lists(segment, min_size=1, max_size=4), st.data())
def test_encoding_any_character_changes_nothing(segments: list[str], data: st.DataObject) -> None:
    path = "/" + "/".join(segments)
    spelled = "".join(quote(char, safe="/") if data.draw(st.booleans()) else char for char in path)
    assert normalise(spelled) == normalise(path)


@given(st.text(max_size=60))
def test_every_path_has_one_spelling_that_climbs_nowhere(path: str) -> None:
    plain = normalise(path)
    assert plain.startswith("/")
    assert not {"", ".", ".."} & set(plain[1:].split("/") if plain != "/" else ())
    assert ";" not in plain


def test_a_split_path_is_matched_like_the_whole() -> None:
    template = PathTemplate.compile("**/engines/{engine}/completions")
    assert template.fits(split("/v1/Engines/copilot/completions"))
    assert not template.fits(split("/v1/completions"))
    assert template.ending == "completions"
    assert PathTemplate.compile("/models/{model}:predict").ending is None
    assert PathTemplate.compile("/").ending == ""
