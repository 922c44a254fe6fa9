"""What the text right before a value says about it; what its digits alone say."""

from __future__ import annotations

_OTHER_NAMES = frozenset(
    [
        "amount",
        "barcode",
        "bigint",
        "bug",
        "build",
        "byte",
        "bytes",
        "case",
        "commit",
        "count",
        "duration",
        "ean",
        "elapsed",
        "epoch",
        "error",
        "errno",
        "exit",
        "expires",
        "gtin",
        "hash",
        "height",
        "index",
        "int",
        "invoice",
        "isbn",
        "issn",
        "issue",
        "item",
        "job",
        "line",
        "lines",
        "long",
        "max",
        "min",
        "ms",
        "nonce",
        "number64",
        "offset",
        "oid",
        "order",
        "parcel",
        "part",
        "pid",
        "po",
        "port",
        "pos",
        "pr",
        "price",
        "process",
        "product",
        "ref",
        "release",
        "request",
        "rev",
        "revision",
        "row",
        "seq",
        "sequence",
        "serial",
        "session",
        "sha",
        "size",
        "sku",
        "status",
        "step",
        "thread",
        "ticket",
        "time",
        "timestamp",
        "total",
        "tracking",
        "ts",
        "txn",
        "upc",
        "uuid",
        "version",
        "width",
        "build_id",
    ]
)
_TELEPHONE_WORDS = (
    "phone", "tel", "call", "mobile", "cell", "fax", "dial", "contact", "sms", "whatsapp", "reach", "text me",
)  # fmt: skip
_ASCENDING = "01234567890123456789"
_DESCENDING = _ASCENDING[::-1]


def digits_of(value: str) -> str:
    """The ASCII digits of `value`."""
    return "".join(char for char in value if char in "0123456789")


def touches(before: str, marks: str) -> bool:
    """Whether a letter, a digit or one of `marks` stands right before; the letter of an escaped line break may."""
    if before.endswith(("\\n", "\\r", "\\t")):
        return False
    return before[-1:].isalnum() or before[-1:] in tuple(marks)


def last_word(before: str) -> str:
    """The last part of the last name before a value, in lower case: "id" of `order_id: ` and of `orderId="`."""
    name = before.rstrip(" \t=:\"'#([\\")
    start = len(name)
    while start and (name[start - 1].isalnum()):
        start -= 1
    word = name[start:]
    hump = max((place for place, char in enumerate(word) if char.isupper() and place), default=0)
    return (word[hump:] if hump and not word.isupper() else word).lower()


def otherwise_named(before: str) -> bool:
    """Whether the name right before a number says that it counts or names something else than a person's data."""
    return last_word(before) in _OTHER_NAMES


def invented(digits: str) -> bool:
    """Whether digits are too regular to have been issued: few different ones, or counted up or down."""
    return len(set(digits)) < 3 or digits in _ASCENDING or digits in _DESCENDING


def announces_telephone(before: str) -> bool:
    """Whether a word for telephones or calls stands shortly before."""
    words = before.lower()[-40:]
    return any(word in words for word in _TELEPHONE_WORDS)
