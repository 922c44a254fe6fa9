"""What is remembered of files that were uploaded: by the id the service gave them, in memory, for a while.

A prompt names an uploaded file by its id only. Here that id leads to what the file was and what was found in it; and
while an upload takes several requests, to what the first of them said.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.model.content import Attachment

MAX_FILES = 4096
MAX_UPLOADS = 512
FILE_SECONDS = 7 * 24 * 3600.0
UPLOAD_SECONDS = 3600.0  # that an upload may take from its first request to its last
MAX_PARTS = 128 * 1024 * 1024
"""Bytes of all uploads in parts that are kept until they are complete."""


@dataclass(slots=True)
class Upload:
    """An upload that has begun. `file` is the id that the file will have, where that is known before."""

    attachment: Attachment
    file: str = ""
    parts: dict[str, bytes] = field(default_factory=dict, repr=False)  # by the ids that the service gave them
    lost: bool = False  # a part was not kept: what is here is not the file

    def joined(self, order: bytes = b"") -> bytes:
        """The parts as one, in the order in which their ids stand in `order`, a document of JSON or XML; those that it
        does not name as they came, behind."""
        places = {name: max(order.find(each) for each in _written(name)) for name in self.parts}
        named = sorted((name for name in self.parts if places[name] >= 0), key=lambda name: places[name])
        rest = [name for name in self.parts if places[name] < 0]
        return b"".join(self.parts[name] for name in (*named, *rest))


class FileBook:
    """Forgets the oldest first. Ids are kept apart by provider; addresses only as hashes, for they may carry keys."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that never go back."""
        self._clock = clock
        self._files: OrderedDict[tuple[str, str], tuple[float, Attachment]] = OrderedDict()
        self._uploads: OrderedDict[bytes, tuple[float, Upload]] = OrderedDict()
        self._kept = 0

    def remember(self, provider: str, file: str, attachment: Attachment) -> None:
        """A file was uploaded and is known as `file` to the provider."""
        self._files[provider, file] = self._clock(), attachment
        self._files.move_to_end((provider, file))
        while len(self._files) > MAX_FILES:
            self._files.popitem(last=False)

    def find(self, provider: str, file: str) -> Attachment | None:
        """What is known of a file, or None."""
        found = self._files.get((provider, file))
        if found is None:
            return None
        at, attachment = found
        if self._clock() - at > FILE_SECONDS:
            del self._files[provider, file]
            return None
        return attachment

    def begin(self, address: str, upload: Upload) -> None:
        """An upload has begun whose next request goes to `address` (or carries that id)."""
        key = _key(address)
        self._drop(key)
        self._uploads[key] = self._clock(), upload
        while len(self._uploads) > MAX_UPLOADS:
            self._drop(next(iter(self._uploads)))

    def upload(self, address: str) -> Upload | None:
        """The upload that goes on at `address`, or None."""
        key = _key(address)
        found = self._uploads.get(key)
        if found is None:
            return None
        at, upload = found
        if self._clock() - at > UPLOAD_SECONDS:
            self._drop(key)
            return None
        return upload

    def keep(self, upload: Upload, part: bytes, *, name: str = "") -> None:
        """Keep a part, by its `name` if it has one, until the upload is complete, if there is room."""
        if self._kept + len(part) > MAX_PARTS:
            self._let_go(upload)
            upload.lost = True
        if not upload.lost:
            upload.parts[name or f"\0{len(upload.parts)}"] = part
            self._kept += len(part)

    def end(self, address: str) -> None:
        """The upload at `address` is complete, or given up."""
        self._drop(_key(address))

    def _drop(self, key: bytes) -> None:
        found = self._uploads.pop(key, None)
        if found is not None:
            self._let_go(found[1])

    def _let_go(self, upload: Upload) -> None:
        self._kept -= sum(map(len, upload.parts.values()))
        upload.parts.clear()


def _written(name: str) -> tuple[bytes, bytes]:
    """A name as a whole value, in JSON and in XML."""
    return f'"{name}"'.encode(), f">{name}<".encode()


def _key(address: str) -> bytes:
    return hashlib.blake2b(address.encode("utf-8", "surrogatepass"), digest_size=16).digest()
