"""Certificates in PEM text, taken apart and written, without looking inside: old roots do not pass a strict parser."""

from __future__ import annotations

import base64
import binascii
from contextlib import suppress

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_END = b"-----END CERTIFICATE-----"
_SEQUENCE = b"\x30"  # the first byte of every DER certificate
_LINE = 64  # RFC 7468 section 2


def certificates_in(pem: bytes) -> tuple[bytes, ...]:
    """The DER of every certificate in `pem`; everything else, private keys above all, is left out."""
    found: list[bytes] = []
    rest = pem
    while True:
        _, begin, rest = rest.partition(_BEGIN)
        body, end, after = rest.partition(_END)
        if not begin or not end:
            return tuple(found)
        with suppress(binascii.Error):
            der = base64.b64decode(b"".join(body.split()), validate=True)
            if der.startswith(_SEQUENCE):
                found.append(der)
        rest = after


def pem_of(der: bytes) -> bytes:
    """One certificate as PEM."""
    text = base64.b64encode(der)
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return b"\n".join((_BEGIN, *lines, _END)) + b"\n"
