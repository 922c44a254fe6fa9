"""`data:` URLs, base64 and links."""

from __future__ import annotations

import pytest

from agent.errors import ContentError
from agent.model.conversation import Media, MediaKind
from agent.translation.media import data_url, from_text, from_url, text_in

IMAGE = MediaKind.IMAGE


@pytest.mark.parametrize(
    ("url", "media"),
    [
        ("https://a.example/x.png", Media(kind=IMAGE, url="https://a.example/x.png")),
        ("data:image/png;base64,AAEC", Media(kind=IMAGE, media_type="image/png", data="AAEC")),
        ("DATA:image/png;base64,AA\nEC", Media(kind=IMAGE, media_type="image/png", data="AAEC")),
        ("data:image/svg+xml,%3Csvg%3E", Media(kind=IMAGE, media_type="image/svg+xml", data="PHN2Zz4=")),
        ("data:;base64,AAEC", Media(kind=IMAGE, data="AAEC")),
    ],
)
def test_a_url_is_a_link_or_holds_its_data(url: str, media: Media) -> None:
    assert from_url(IMAGE, url) == media


def test_a_data_url_without_data_is_an_error() -> None:
    with pytest.raises(ContentError, match="without data"):
        from_url(IMAGE, "data:image/png")


def test_inline_parts_go_out_as_they_came() -> None:
    url = "data:image/png;base64,AAEC"
    assert data_url(from_url(IMAGE, url)) == url


def test_documents_of_text_are_read_back() -> None:
    assert text_in(from_text("naïve 🜚")) == "naïve 🜚"
    assert text_in(Media(kind=IMAGE, media_type="image/png", data="AAEC")) is None
    assert text_in(Media(kind=MediaKind.DOCUMENT, media_type="text/plain", data="/w==")) is None
