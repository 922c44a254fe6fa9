"""Firefox's policies on Linux, for all users: the list `Certificates.Install`, and the certificate files it names.

The file belongs to the administrators: everything else in it stays, and it gets its old bytes back when the last root
of ours goes, if nothing else was changed meanwhile.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from agent.errors import HostError
from agent.host.files import read_limited, write_atomically
from agent.host.trust.store import Access, Root, Site, normal, parted, short

_LIMIT = 1024 * 1024  # bytes
_READABLE = 0o644
_FOLDER = "etc/firefox/policies"  # also what the snap is let read
_SIGNS = (
    "etc/firefox",
    "usr/lib/firefox",
    "usr/lib64/firefox",
    "usr/lib/firefox-esr",
    "opt/firefox",
    "snap/firefox",
    "usr/bin/firefox",
    "var/lib/flatpak/app/org.mozilla.firefox",
)

type Document = dict[str, object]


class FirefoxPolicy:
    """A `TrustStore` of /etc/firefox/policies/policies.json, below `base` (another than `/` for tests)."""

    kind = "firefox-policy"

    def __init__(self, *, base: Path = Path("/")) -> None:
        self._base = base
        self._folder = base / _FOLDER
        self._file = self._folder / "policies.json"
        self._kept = self._folder / "policies.json.before-drawbridge"

    def read(self, scope: str) -> str | None:
        """See `SettingDriver`: the root, where it is both named and there."""
        certificate = self._certificate(scope)
        document, _ = self._load()
        if str(certificate) not in _installed(document):
            return None
        data = read_limited(certificate, limit=_LIMIT)
        return None if data is None else normal(data) or data.decode("utf-8", "replace")

    def write(self, scope: str, value: str | None) -> None:
        """See `SettingDriver`."""
        certificate = self._certificate(scope)
        document, text = self._load()
        if value is None:
            self._take_out(document, text, str(certificate))
            self._unlink(certificate)
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HostError(f"cannot make {self._folder}: {error.strerror or error}") from error
        write_atomically(certificate, value.encode(), mode=_READABLE)
        if str(certificate) in _installed(document):
            return
        if text is not None and not self._ours(document):
            write_atomically(self._kept, text.encode(), mode=_READABLE)
        _put_in(document, str(certificate))
        self._store(document, text)

    def sites(self) -> tuple[Site, ...]:
        """See `TrustStore`."""
        place, title = str(self._file), "Firefox, all users (policies.json)"
        if not any((self._base / each).exists() for each in _SIGNS):
            return (Site(place=place, title=title, access=Access.ABSENT),)
        above = next(each for each in (self._folder, *self._folder.parents) if each.is_dir())
        writable = os.access(above, os.W_OK)
        remedy = "" if writable else "sudo drawbridge ca install"
        return (
            Site(
                place=place, title=title, access=Access.OPEN if writable else Access.FORBIDDEN, remedy=remedy
            ),
        )

    def trusts(self, place: str, root: Root) -> bool:
        """See `TrustStore`."""
        return self.read(root.scope(place)) == root.pem

    def _certificate(self, scope: str) -> Path:
        place, mark = parted(scope)
        if place != str(self._file):
            raise HostError(f"{place} is not Firefox's policy file")
        return self._folder / f"drawbridge-{short(mark)}.pem"

    def _load(self) -> tuple[Document, str | None]:
        """What the file says, and its text, None where there is no file."""
        data = read_limited(self._file, limit=_LIMIT)
        if data is None:
            return {}, None
        try:
            text = data.decode()
            document = json.loads(text)
            policies = document.setdefault("policies", {})
            certificates = policies.setdefault("Certificates", {})
            if not isinstance(certificates.setdefault("Install", []), list):
                raise TypeError
        except (ValueError, TypeError, AttributeError) as error:
            raise HostError(
                f"{self._file} is not a file of Firefox's policies",
                hint="Mend it (about:policies in Firefox shows what is wrong); it is left as it is.",
            ) from error
        return _pruned(document), text

    def _take_out(self, document: Document, text: str | None, certificate: str) -> None:
        if text is None or certificate not in _installed(document):
            return
        _installed(document).remove(certificate)
        document = _pruned(document)
        if self._ours(document):
            self._store(document, text)
            return
        before = read_limited(self._kept, limit=_LIMIT)
        if before is None and not document:
            self._unlink(self._file)  # there was none before us
        elif before is not None and _same(before, document):
            write_atomically(self._file, before, mode=_READABLE)
        else:
            self._store(document, text)
        self._unlink(self._kept)

    def _ours(self, document: Document) -> bool:
        beginning = str(self._folder / "drawbridge-")
        return any(str(each).startswith(beginning) for each in _installed(document))

    def _store(self, document: Document, like: str | None) -> None:
        text = json.dumps(document, indent=_indent(like), ensure_ascii=False) + "\n"
        write_atomically(self._file, text.encode(), mode=_READABLE)

    def _unlink(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise HostError(f"cannot remove {path}: {error.strerror or error}") from error


def _installed(document: Document) -> list[object]:
    found: object = document
    for key in ("policies", "Certificates", "Install"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, list) else []


def _put_in(document: Document, certificate: str) -> None:
    found = document
    for key in ("policies", "Certificates"):
        inner = found.setdefault(key, {})
        assert isinstance(inner, dict)  # as `_load` has seen
        found = inner
    found["Install"] = [*_installed(document), certificate]


def _pruned(document: Document) -> Document:
    """Without containers on the way to the list that hold nothing."""
    policies = document.get("policies")
    if isinstance(policies, dict):
        certificates = policies.get("Certificates")
        if isinstance(certificates, dict):
            if certificates.get("Install") == []:
                del certificates["Install"]
            if not certificates:
                del policies["Certificates"]
        if not policies:
            del document["policies"]
    return document


def _same(before: bytes, document: Document) -> bool:
    try:
        return _pruned(json.loads(before)) == document
    except (ValueError, AttributeError):
        return False


def _indent(text: str | None) -> int | str:
    """The indentation of the first line that has one."""
    for line in (text or "").splitlines():
        blank = line[: len(line) - len(line.lstrip())]
        if blank and line.strip():
            return blank if blank.strip(" ") else len(blank)
    return 2
