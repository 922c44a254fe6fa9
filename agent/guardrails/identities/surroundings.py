"""What the text right before a value says about it; what its digits alone say."""

from __future__ import annotations

_OTHER_NAMES = frozenset(
    """
    amount asset barcode batch bigint bug build byte bytes case catalog chapter chmod commit count duration ean
    elapsed epoch errno error exit expires gtin hash height index int invoice isbn issn issue item job key line
    lines long lot max min mode model ms nonce offset oid order page parcel part pid po port pos pr price
    process product range ranges ref release request rev revision row rows section seq sequence serial session
    sha size sku status step thread ticket time timestamp total tracking ts txn upc uuid version width
    """.split()  # noqa: SIM905  a list of words reads better as one
)
_NUMBERING = frozenset(("no", "nr", "num", "number", "id", "code"))
_TELEPHONE_WORDS = (
    "phone", "tel", "call", "mobile", "cell", "fax", "dial", "contact", "sms", "whatsapp", "reach", "text me",
)  # fmt: skip
_SPACELESS = "\u0e00"
_AROUND = " \t=:.\"'#([\\*"
_ASCENDING = "01234567890123456789"
_DESCENDING = _ASCENDING[::-1]


def digits_of(value: str) -> str:
    """The ASCII digits of `value`."""
    return "".join(char for char in value if char in "0123456789")


def touches(before: str, marks: str) -> bool:
    """Whether a letter, a digit or one of `marks` stands right before.

    The letter of an escaped line break may, and so may letters of scripts that write no spaces (from Thai on).
    """
    if before.endswith(("\\n", "\\r", "\\t")):
        return False
    return (before[-1:].isalnum() and before[-1:] < _SPACELESS) or before[-1:] in tuple(marks)


def last_word(before: str) -> str:
    """The last part of the last name before a value, in lower case: "id" of `order_id: ` and of `orderId="`."""
    name = before.rstrip(_AROUND)
    start = len(name)
    while start and (name[start - 1].isalnum()):
        start -= 1
    word = name[start:]
    hump = max((place for place, char in enumerate(word) if char.isupper() and place), default=0)
    return (word[hump:] if hump and not word.isupper() else word).lower()


def otherwise_named(before: str) -> bool:
    """Whether the name right before a number says that it counts or names something else than a person's data."""
    word = last_word(before)
    if word in _NUMBERING:
        word = last_word(before.rstrip(_AROUND)[: -len(word)].rstrip("_-. "))
    return word in _OTHER_NAMES


def invented(digits: str) -> bool:
    """Whether digits are too regular to have been issued: few different ones, or counted up or down."""
    return len(set(digits)) < 3 or digits in _ASCENDING or digits in _DESCENDING


def announces_telephone(before: str) -> bool:
    """Whether a word for telephones or calls stands shortly before."""
    words = before.lower()[-40:]
    return any(word in words for word in _TELEPHONE_WORDS)
