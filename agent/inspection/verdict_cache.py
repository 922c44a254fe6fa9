"""The verdicts already known, so that a history that is sent again is not scanned again."""

from __future__ import annotations

from agent.model.findings import Finding


class VerdictCache:
    """Findings by content hash; two generations, the older of which is dropped when the younger is full.

    Holds no text. Plain dict operations are atomic under the GIL, so a scan thread may share it.
    """

    def __init__(self, entries: int) -> None:
        self._limit = entries // 2
        self._young: dict[bytes, tuple[Finding, ...]] = {}
        self._old: dict[bytes, tuple[Finding, ...]] = {}

    def get(self, key: bytes) -> tuple[Finding, ...] | None:
        """The findings of that hash, or None."""
        if (found := self._young.get(key)) is None and (found := self._old.get(key)) is not None:
            self.put(key, found)
        return found

    def put(self, key: bytes, findings: tuple[Finding, ...]) -> None:
        """Remember findings."""
        if len(self._young) >= self._limit:
            self._old, self._young = self._young, {}
        self._young[key] = findings
