"""The set of personal data: addresses, numbers of people, accounts, devices and places, and what only looks like them."""

# ruff: noqa: E501  a template is one line

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator

from tests.data.eval.generators import phone_numbers, pii_negatives
from tests.data.eval.generators.identity_numbers import Number, card, iban, national, wallet
from tests.data.eval.generators.marking import Row, fill, mark, row

_GIVEN = [
    "Anna",
    "Maria",
    "Jürgen",
    "Zoë",
    "Søren",
    "Łukasz",
    "Priya",
    "Wei",
    "Aiko",
    "Fatima",
    "Omar",
    "Chidi",
    "José",
    "Inés",
    "Luca",
    "Chloé",
    "Bjørn",
    "Katarzyna",
    "Dmitri",
    "Olena",
    "Yusuf",
    "Noa",
    "Thandi",
    "Mateus",
    "Camila",
    "Hiroshi",
    "Minji",
    "Somchai",
    "Nguyen",
    "Emily",
    "James",
    "Olivia",
    "Liam",
]
_FAMILY = [
    "Müller",
    "Schmidt",
    "García",
    "Rossi",
    "Dubois",
    "Jansen",
    "Nowak",
    "Svensson",
    "Hansen",
    "Korhonen",
    "Smith",
    "Johnson",
    "Okafor",
    "Haddad",
    "Sharma",
    "Chen",
    "Tanaka",
    "Kim",
    "Silva",
    "Fernández",
    "Ivanova",
    "Shevchenko",
    "Cohen",
    "Dlamini",
    "Papadopoulos",
    "Horváth",
    "Novák",
    "Popescu",
    "Öztürk",
    "O'Brien",
]
_DOMAINS = (
    "gmail.com", "outlook.com", "yahoo.co.uk", "gmx.de", "web.de", "orange.fr", "libero.it", "proton.me", "icloud.com",
    "contoso-bank.com", "uni-heidelberg.de", "mail.ru", "qq.com", "naver.com", "uol.com.br", "hotmail.es", "ziggo.nl",
    "nordlicht-logistik.de", "acme-health.org", "docomo.ne.jp", "rediffmail.com", "tele2.se",
)  # fmt: skip
_PLAIN = str.maketrans("üéøŁëçãíáñÖöäßŠš'ż", "ueoLecaianOoasSs_z")

type Place = Callable[[random.Random, str, str, str], str]
"""Draw, a person's name, what the value is called, the marked value; the text."""

PLACES: dict[str, Place] = {
    "prose": lambda draw, who, label, value: f"Please write a polite letter to {who} ({label}: {value}) about the late delivery.",
    "sentence": lambda draw, who, label, value: f"My colleague {who} says her {label} is {value}, can you fill in the form?",
    "german": lambda draw, who, label, value: f"Bitte prüfe den Antrag von {who}, {label} {value}, und fasse ihn zusammen.",
    "json": lambda draw, who, label, value: json.dumps({"name": who, label: value, "active": True}, ensure_ascii=False),
    "json in json": lambda draw, who, label, value: json.dumps({"content": json.dumps({"customer": who, label: value}, ensure_ascii=False)}, ensure_ascii=False),
    "csv": lambda draw, who, label, value: f"id;name;{label};city\n17;{who};{value};Lyon\n",
    "markdown table": lambda draw, who, label, value: f"| name | {label} |\n|---|---|\n| {who} | {value} |\n",
    "sql": lambda draw, who, label, value: f"UPDATE people SET name = '{who.replace(chr(39), chr(39) * 2)}' WHERE id = 4; -- {label} '{value}'",
    "log": lambda draw, who, label, value: f"2026-02-1{draw.randint(0, 9)} 08:31:07 WARN  registration failed: {label}={value} user=\"{who}\" code=422",
    "yaml": lambda draw, who, label, value: f"customer:\n  name: {who}\n  {label}: \"{value}\"\n  tier: gold\n",
    "xml": lambda draw, who, label, value: f"<person><name>{who}</name><field name=\"{label}\">{value}</field></person>",
    "html": lambda draw, who, label, value: f"<tr><th>{label}</th><td>{value}</td></tr>",
    "chat": lambda draw, who, label, value: f"support: could you confirm your {label}?\n{who.split()[0]}: sure, it's {value}",
    "e-mail": lambda draw, who, label, value: f"Subject: contract\n\nDear team,\n\nas requested:\n{label}: {value}\n\nKind regards\n{who}",
    "python": lambda draw, who, label, value: f"customer = Customer(name=\"{who}\")  # {label}\ncustomer.number = \"{value}\"\n",
    "form": lambda draw, who, label, value: f"Name ........ {who}\n{label} ........ {value}\nCity ........ Porto\n",
}  # fmt: skip


def rows(draw: random.Random) -> Iterator[Row]:
    """All rows of the family."""
    yield from numbers(draw)
    yield from addresses(draw)
    yield from phones(draw)
    yield from payments(draw)
    yield from network(draw)
    yield from births_and_places(draw)
    yield from pii_negatives.rows(draw)


def _name(draw: random.Random) -> str:
    return f"{draw.choice(_GIVEN)} {draw.choice(_FAMILY)}"


class _Turn:
    """Contexts in turn, so that every kind of value meets them equally often."""

    def __init__(self) -> None:
        self._at = 0

    def row(
        self, draw: random.Random, kind: str, label: str, value: str, source: str, variant: str = ""
    ) -> Row:
        context = list(PLACES)[self._at % len(PLACES)]
        self._at += 1
        text = PLACES[context](draw, _name(draw), label, mark(kind, value))
        return row(text, family="pii", context=context, source=source, variant=variant)


def numbers(draw: random.Random) -> Iterator[Row]:
    """National numbers, with the word that names them."""
    turn = _Turn()
    for kind in national():
        for _ in range(8):
            yield _number(draw, turn, kind)


def _number(draw: random.Random, turn: _Turn, kind: Number) -> Row:
    return turn.row(
        draw, kind.type, draw.choice(kind.labels), kind.make(draw), "registries, by way of python-stdnum"
    )


def address(draw: random.Random) -> str:
    """A mailbox of a person."""
    given, family = (part.translate(_PLAIN).lower() for part in _name(draw).split(" ", 1))
    local = draw.choice(
        [
            f"{given}.{family}",
            f"{given}{draw.randint(1, 99)}",
            f"{given[0]}{family}",
            f"{given}_{family}",
            f"{family}+shop",
        ]
    )
    return f"{local.replace(' ', '')}@{draw.choice(_DOMAINS)}"


def addresses(draw: random.Random) -> Iterator[Row]:
    """Mailboxes in the usual places and in those of developers."""
    turn = _Turn()
    for _ in range(80):
        yield turn.row(draw, "email", draw.choice(["e-mail", "email", "mail", "contact", "E-Mail-Adresse"]), address(draw), "RFC 5322")  # fmt: skip
    frames = (
        (
            "git log",
            "commit {hex}\nAuthor: {who} <{value}>\nDate:   Mon Mar 2 10:12:01 2026 +0100\n\n    fix typo\n",
        ),
        ("url", "https://shop.contoso-bank.com/unsubscribe?mail={value}&list=7"),
        ("mailto", '<a href="mailto:{value}?subject=Hello">write us</a>'),
        ("list", "To: {value}; {other}; {third}\nSubject: party"),
        ("end of sentence", "Just mail {value}. She answers fast."),
        ("brackets", 'recipients = ["{value}", "{other}"]'),
    )
    for context, frame in frames:
        for _ in range(6):
            values = {name: mark("email", address(draw)) for name in ("value", "other", "third")}
            text = frame.format(who=_name(draw), hex=fill(draw, "{hex:40}"), **values)
            yield row(text, family="pii", context=context, source="RFC 5322")


def phones(draw: random.Random) -> Iterator[Row]:
    """Telephone numbers with a word for it, and in prose that only implies it."""
    turn = _Turn()
    labels = {"DE": "Telefon;Tel.;Handy;Mobil", "FR": "téléphone;Tél.", "ES": "teléfono;móvil", "IT": "telefono;cell.", "NL": "telefoon", "PL": "telefon", "PT": "telefone", "BR": "telefone;celular", "JP": "電話番号;TEL", "CN": "手机;电话", "KR": "전화번호", "RU": "телефон"}  # fmt: skip
    for country, form in phone_numbers.forms():
        label = draw.choice([*labels.get(country, "").split(";"), "phone", "tel", "mobile"]) or "phone number"
        variant, source = f"phone {country}", "numbering plans, ITU-T E.129"
        yield turn.row(draw, "phone", label, phone_numbers.number(draw, form), source, variant)
        text = draw.choice(
            [
                "Call me back under {} after six.",
                "You can reach her at {}.",
                "WhatsApp: {}",
                "Signature:\nKarl\nT {}\nacme",
            ]
        ).format(mark("phone", phone_numbers.number(draw, form)))
        yield row(text, family="pii", context="in passing", source=source, variant=variant)


def payments(draw: random.Random) -> Iterator[Row]:
    """Cards, accounts, wallets."""
    turn = _Turn()
    for _ in range(110):
        yield turn.row(draw, "payment_card", draw.choice(["card", "card number", "Kreditkarte", "credit card", "pan"]), card(draw), "ISO/IEC 7812")  # fmt: skip
    for _ in range(110):
        yield turn.row(draw, "iban", draw.choice(["IBAN", "account", "Bankverbindung", "bank account"]), iban(draw), "ISO 13616")  # fmt: skip
    for _ in range(40):
        yield turn.row(draw, "crypto_wallet", draw.choice(["wallet", "BTC address", "address", "payout wallet"]), wallet(draw), "BIP 173, base58check")  # fmt: skip


def network(draw: random.Random) -> Iterator[Row]:
    """Addresses of machines that belong to somebody."""
    turn = _Turn()
    first = (23, 34, 45, 51, 62, 78, 81, 84, 91, 93, 109, 139, 143, 151, 163, 178, 185, 193, 203, 212, 217)
    for _ in range(50):
        value = ".".join(
            str(draw.choice(first) if not place else draw.randint(42, 250)) for place in range(4)
        )
        yield turn.row(
            draw,
            "ip_address",
            draw.choice(["ip", "client IP", "remote_addr", "IP-Adresse"]),
            value,
            "RFC 791",
        )
    for _ in range(30):
        value = draw.choice(["2a02:8108:{a}:{b}::{c}", "2a00:1450:{a}:{b}:{c}:{d}:{a}:{b}", "2600:1f18:{a}:{b}:{c}:{d}:{b}:{c}"])  # fmt: skip
        value = value.format(**{name: fill(draw, "{hex:4}") for name in "abcd"})
        yield turn.row(draw, "ip_address", draw.choice(["ip", "client IP", "IPv6"]), value, "RFC 4291")
    for _ in range(24):
        sign = draw.choice(":-")
        value = sign.join(
            [draw.choice(["3c", "a4", "f0", "B8", "D4"]), *(fill(draw, "{hex:2}") for _ in range(5))]
        )
        yield turn.row(
            draw,
            "mac_address",
            draw.choice(["MAC", "mac address", "MAC-Adresse", "hwaddr"]),
            value,
            "IEEE 802",
        )


def births_and_places(draw: random.Random) -> Iterator[Row]:
    """Dates of birth, named as such, and coordinates precise enough to be a house."""
    turn = _Turn()
    months = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ]
    for _ in range(60):
        year, month, day = draw.randint(1940, 2006), draw.randint(1, 12), draw.randint(1, 28)
        value = draw.choice(
            [f"{day:02}.{month:02}.{year}", f"{year}-{month:02}-{day:02}", f"{month}/{day}/{year}", f"{day:02}/{month:02}/{year}",
             f"{day} {months[month - 1]} {year}", f"{months[month - 1]} {day}, {year}"]
        )  # fmt: skip
        label = draw.choice(["date of birth", "DOB", "birthday", "Geburtsdatum", "geboren am", "date de naissance", "fecha de nacimiento", "born", "birth_date", "生年月日"])  # fmt: skip
        yield turn.row(draw, "birth_date", label, value, "own")
    for _ in range(30):
        latitude, longitude = draw.uniform(-60, 65), draw.uniform(-120, 150)
        value = draw.choice(
            [f"{latitude:.6f}, {longitude:.6f}", f"{abs(latitude):.5f}° N, {abs(longitude):.5f}° E", f"{latitude:.7f},{longitude:.7f}",
             f"{int(abs(latitude))}°{draw.randint(0, 59)}'{draw.uniform(0, 59):.1f}\"N {int(abs(longitude))}°{draw.randint(0, 59)}'{draw.uniform(0, 59):.1f}\"E"]
        )  # fmt: skip
        label = draw.choice(["home location", "GPS", "coordinates", "lat/lon", "position"])
        yield turn.row(draw, "gps", label, value, "ISO 6709")
