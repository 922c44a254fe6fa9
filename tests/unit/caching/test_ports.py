"""Records say what they take."""

from __future__ import annotations

from agent.caching.ports import Record


def test_a_record_takes_what_it_holds() -> None:
    small = Record(key=b"k" * 32, body=b"", expires_at=1.0)
    large = Record(key=b"k" * 32, body=b"x" * 100, vector=b"y" * 20, owner="vk", expires_at=1.0)
    assert large.size == small.size + 122
    assert "xxx" not in repr(large)
