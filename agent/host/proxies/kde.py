"""KDE, and Chromium on it: two keys of `kioslaverc`, edited where they stand; every other byte of the file stays.

No tool of KDE's is needed, so that what one version wrote another takes back, and nothing else is rewritten on the way.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from agent.errors import HostError
from agent.host.earlier import Earlier, parsed
from agent.host.files import read_limited
from agent.host.proxies.base import compose, parts
from agent.host.proxies.textfile import LIMIT, put, remove
from agent.host.run import Runner, run

_GROUP = b"[Proxy Settings]"
_TYPE, _SCRIPT = "ProxyType", "Proxy Config Script"
_PAC = "2"
_SECONDS = 10
_TELL = (
    *("dbus-send", "--type=signal", "/KIO/Scheduler"),
    *("org.kde.KIO.Scheduler.reparseSlaveConfiguration", "string:"),
)


class KdeProxy:
    """A `ProxySetting` of one file; its path is the scope. A value tells the two keys, and of what we would have to add
    to hold them: the file itself, the group, the end of its last line."""

    kind = "kde-proxy"

    def __init__(self, file: Path, runner: Runner | None = None, *, installed: bool | None = None) -> None:
        self._file = file
        self._run = runner or (lambda argv: run(argv, timeout=_SECONDS))
        self._installed = installed

    def scopes(self) -> tuple[str, ...]:
        """See `ProxySetting`: the file, where KDE has made one or is installed."""
        there = self._installed
        if there is None:
            there = self._file.exists() or any(
                map(shutil.which, ("plasmashell", "kwriteconfig6", "kwriteconfig5"))
            )
        return (str(self._file),) if there else ()

    def read(self, scope: str) -> str | None:
        """See `SettingDriver`."""
        data = self._data(scope)
        if data is None:
            return None
        found = _Group(data)
        facts: dict[str, object] = {_TYPE: found.value(_TYPE), _SCRIPT: found.value(_SCRIPT)}
        if not found.there:
            facts |= {"group": False, "ended": not data or data.endswith(b"\n")}
        return compose(**facts)

    def write(self, scope: str, value: str | None) -> None:
        """See `SettingDriver`."""
        data = self._data(scope) or b""
        wanted = parts(value)
        changed = data
        for key in (_TYPE, _SCRIPT):
            text = wanted.get(key)
            changed = _Group(changed).with_value(key, None if text is None else str(text))
        if value is None or wanted.get("group") is False:
            changed = _Group(changed).without_itself(ended=bool(wanted.get("ended", True)))
        if value is None and not changed:
            remove(self._file)
        elif changed != data or value is not None:
            put(self._file, changed)
        self._tell()

    def ours(self, scope: str, pac_url: str) -> str:
        """See `ProxySetting`."""
        del scope
        return compose(**{_TYPE: _PAC, _SCRIPT: pac_url})

    def earlier(self, values: Mapping[str, str | None]) -> Earlier:
        """See `ProxySetting`."""
        found = parts(values.get(str(self._file)))
        group = _Group(self._data(str(self._file)) or b"")
        match str(found.get(_TYPE) or "").strip():
            case "2":
                return Earlier(pac_url=str(found.get(_SCRIPT) or "").strip())
            case "1":
                named = {key: _address(group.value(f"{key}Proxy")) for key in ("http", "https", "socks")}
                excepted = (group.value("NoProxyFor") or "").split(",")
                return Earlier(**named, exceptions=tuple(each.strip() for each in excepted if each.strip()))
            case _:
                return Earlier()

    def _data(self, scope: str) -> bytes | None:
        if scope != str(self._file):
            raise HostError(f"{scope} is not the file of KDE's proxy settings, {self._file}")
        return read_limited(self._file, limit=LIMIT)

    def _tell(self) -> None:
        """Running programs read the file again; those that are not told read it when they start."""
        with suppress(HostError):
            self._run(_TELL)


class _Group:
    """The lines of a file, and where the group's are. Groups of one name count as one; of a key twice, the last."""

    def __init__(self, data: bytes) -> None:
        self._lines = data.split(b"\n")
        self._heads = [at for at, line in enumerate(self._lines) if line.strip() == _GROUP]

    @property
    def there(self) -> bool:
        return bool(self._heads)

    def value(self, key: str) -> str | None:
        """A key's value, blanks and all; None where it is not set."""
        at = self._find(key)
        if at is None:
            return None
        return self._lines[at].partition(b"=")[2].decode("utf-8", "surrogateescape")

    def with_value(self, key: str, value: str | None) -> bytes:
        """The file with that value; None takes the line out."""
        lines = list(self._lines)
        at = self._find(key)
        if value is None:
            if at is not None:
                del lines[at]
            return b"\n".join(lines)
        line = f"{key}={value}".encode("utf-8", "surrogateescape")
        if at is not None:  # the name's own spelling stays: flags may stand behind it
            lines[at] = lines[at].partition(b"=")[0] + line[len(key) :]
        elif self._heads:
            lines.insert(self._heads[0] + 1, line)
        else:
            if lines[-1]:
                lines.append(b"")
            lines[-1:] = [_GROUP, line, b""]
        return b"\n".join(lines)

    def without_itself(self, *, ended: bool) -> bytes:
        """The file without the group's line, where nothing stands in it; and without the end of the line before that,
        where we had added it."""
        lines = list(self._lines)
        if len(self._heads) == 1 and not any(line.strip() for line in self._own(self._heads[0])):
            del lines[self._heads[0]]
            if not ended and lines[-1:] == [b""]:
                del lines[-1]
        return b"\n".join(lines)

    def _find(self, key: str) -> int | None:
        name = key.encode()
        found = [
            head + 1 + offset
            for head in self._heads
            for offset, line in enumerate(self._own(head))
            if line.partition(b"=")[0].partition(b"[")[0].strip() == name and b"=" in line
        ]
        return found[-1] if found else None

    def _own(self, head: int) -> Sequence[bytes]:
        rest = self._lines[head + 1 :]
        end = next((at for at, line in enumerate(rest) if line.lstrip().startswith(b"[")), len(rest))
        return rest[:end]


def _address(value: str | None) -> str:
    """KDE writes `http://host port`, `http://host:port`, or nothing."""
    if not value or value.strip() in ("http://", "https://", "socks://"):
        return ""
    plain = value.strip().partition("://")[2] or value.strip()
    return parsed(":".join(plain.split()).rstrip("/"))
