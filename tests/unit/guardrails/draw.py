"""Random pieces from one seed, of which samples are made."""

from __future__ import annotations

import base64
import json
import random
import string
import textwrap
import zlib
from collections.abc import Callable

UPPER = string.ascii_uppercase
LOWER = string.ascii_lowercase
DIGITS = string.digits
ALNUM = string.ascii_letters + string.digits
URL64 = ALNUM + "-_"
BASE64 = ALNUM + "+/"
HEX = "0123456789abcdef"
BASE62 = DIGITS + UPPER + LOWER


class Draw:
    """Random pieces from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def of(self, alphabet: str, count: int) -> str:
        """`count` characters, of all kinds that the alphabet has, none of them too often."""
        while True:
            text = "".join(self.random.choice(alphabet) for _ in range(count))
            if count < 12 or (len(set(text)) > min(8, len(alphabet) // 2) and text[-1] not in "-_+/"):
                return text

    def hex(self, count: int) -> str:
        return self.of(HEX, count)

    def low(self, count: int) -> str:
        while True:
            text = self.of(LOWER + DIGITS, count)
            if count < 12 or any(c.isdigit() for c in text):
                return text

    def alnum(self, count: int) -> str:
        while True:
            text = self.of(ALNUM, count)
            if count < 12 or (any(c.isdigit() for c in text) and any(c.islower() for c in text)):
                return text

    def template(self, template: str) -> tuple[str, str]:
        """A template of `vendor_samples`, filled: the text, and the secret in it."""
        text = ""
        for piece in template.replace("||", "\0").replace("|", "").replace("\0", "|").split("{"):
            kind, brace, rest = piece.partition("}")
            text += self._part(kind) + rest if brace else piece
        before, bracket, rest = text.partition("[")
        secret, _, after = rest.partition("]")
        return (before + secret + after, secret) if bracket else (text, text.strip())

    def _part(self, kind: str) -> str:
        name, _, count = kind.partition(":")
        if name == "uuid":
            return self.uuid()
        alphabets = {
            "upper": UPPER + DIGITS,
            "letters": string.ascii_letters,
            "hex": HEX,
            "hexup": HEX.upper(),
            "base32": UPPER + "234567",
            "base32low": LOWER + "234567",
        }
        if name in alphabets:
            return self.of(alphabets[name], int(count))
        makers = {
            "alnum": self.alnum,
            "low": self.low,
            "url64": self.url64,
            "base64": self.base64,
            "digits": self.digits,
        }
        return makers[name](int(count))

    def url64(self, count: int) -> str:
        return self.of(URL64, count - 1) + self.random.choice(ALNUM)

    def base64(self, count: int) -> str:
        return self.of(BASE64, count - 1) + self.random.choice(ALNUM)

    def digits(self, count: int) -> str:
        return self.random.choice("123456789") + self.of(DIGITS, count - 1)

    def uuid(self) -> str:
        return "-".join(self.hex(n) for n in (8, 4, 4, 4, 12))

    def checksummed(self, prefix: str) -> str:
        body = self.alnum(30)
        number, text = zlib.crc32(body.encode()), ""
        while number:
            number, rest = divmod(number, 62)
            text = BASE62[rest] + text
        return prefix + body + text.rjust(6, "0")

    def jwt(self) -> str:
        def part(value: object) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

        claims = {"sub": self.digits(10), "iat": 1700000000, "jti": self.uuid()}
        return f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{part(claims)}.{self.url64(86)}"

    def pem(self, kind: str, lines: int = 12) -> str:
        body = "\n".join(textwrap.wrap(self.base64(64 * lines - 7) + "=", 64))
        dashes = "-" * 5
        return f"{dashes}BEGIN {kind}{dashes}\n{body}\n{dashes}END {kind}{dashes}"

    def password(self) -> str:
        return (
            self.of(LOWER, 4).title()
            + self.of(DIGITS, 2)
            + self.random.choice("!#*+")
            + self.of(LOWER, 5)
            + "7"
        )

    def luhn(self, prefix: str, length: int) -> str:
        while True:
            body = prefix + self.of(DIGITS, length - 1 - len(prefix))
            total = 0
            for place, char in enumerate(reversed(body)):
                digit = int(char) * (2 if place % 2 == 0 else 1)
                total += digit - 9 if digit > 9 else digit
            number = body + str(-total % 10)
            if "0000" not in number:
                return number

    def iban(self, country: str, bban: str) -> str:
        moved = "".join(str(int(char, 36)) for char in bban + country + "00")
        return f"{country}{98 - int(moved) % 97:02}{bban}"


type Maker = Callable[[Draw], str | tuple[str, str]]
"""Makes a token, or a text and the secret in it."""
