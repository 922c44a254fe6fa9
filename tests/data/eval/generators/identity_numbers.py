"""Numbers that states, banks and networks give to people, with right check digits.

Templates stand for what the issuing registries document; check digits are found by drawing until python-stdnum, which
knows nothing of our rules, accepts. `YY`, `MM`, `DD` and `YYYY` are parts of one date.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from stdnum import iban as known_iban

from tests.data.eval.generators.marking import fill, text_of

_NATIONAL = """
de_tax_id|de.idnr|{d:11}|Steuer-ID;Steueridentifikationsnummer;IdNr.;tax id
de_tax_id|de.idnr|{d:2} {d:3} {d:3} {d:3}|Steuer-ID;Steuer-Identifikationsnummer
fr_nir|fr.nir|1YYMM{d:10}|numéro de sécurité sociale;NIR;N° Sécu
fr_nir|fr.nir|2 YY MM 75 {d:3} {d:3} {d:2}|numéro de sécurité sociale;NIR
es_nif|es.dni|{d:8}{L:1}|DNI;NIF
es_nie|es.nie|Y{d:7}{L:1}|NIE;número de identidad de extranjero
it_fiscal_code|it.codicefiscale|{C:6}YYH{DAY}F{d:3}{L:1}|codice fiscale;C.F.
nl_bsn|nl.bsn|{d:9}|BSN;burgerservicenummer
be_national_number|be.nn|YY.MM.DD-{d:3}.{d:2}|rijksregisternummer;numéro national
pl_pesel|pl.pesel|YYMMDD{d:5}|PESEL;numer PESEL
pt_nif|pt.nif|2{d:8}|NIF;contribuinte
se_personal_number|se.personnummer|YYMMDD-{d:4}|personnummer
se_personal_number|se.personnummer|YYYYMMDD-{d:4}|personnummer
fi_hetu|fi.hetu|DDMMYY-{d:3}{X:1}|henkilötunnus;HETU
dk_cpr|dk.cpr|DDMMYY-{d:4}|CPR-nummer;CPR
no_national_number|no.fodselsnummer|DDMMYY{d:5}|fødselsnummer;personnummer
ch_ahv|ch.ssn|756.{d:4}.{d:4}.{d:2}|AHV-Nummer;numéro AVS
at_svnr|at.vnr|{d:4}DDMMYY|Sozialversicherungsnummer;SVNR
ie_pps|ie.pps|{d:7}{L:1}|PPS number;PPSN
cz_birth_number|cz.rc|YYMMDD/{d:4}|rodné číslo
ro_cnp|ro.cnp|1YYMMDD{d:6}|CNP;cod numeric personal
bg_egn|bg.egn|YYMMDD{d:4}|ЕГН;EGN
gr_amka|gr.amka|DDMMYY{d:5}|ΑΜΚΑ;AMKA
hr_oib|hr.oib|{d:11}|OIB
ee_ik|ee.ik|3YYMMDD{d:4}|isikukood
lt_ak|lt.asmens|4YYMMDD{d:4}|asmens kodas
si_emso|si.emso|DDMM9{d:2}50{d:4}|EMŠO
tr_tckn|tr.tckimlik|{d:11}|T.C. Kimlik No;TCKN
br_cpf|br.cpf|{d:3}.{d:3}.{d:3}-{d:2}|CPF
br_cpf|br.cpf|{d:11}|CPF;CPF do cliente
br_cnpj|br.cnpj|{d:2}.{d:3}.{d:3}/0001-{d:2}|CNPJ
ar_cuit|ar.cuit|20-{d:8}-{d:1}|CUIT;CUIL
cl_rut|cl.rut|{d:2}.{d:3}.{d:3}-{d:1}|RUT;RUN
mx_curp|mx.curp|{C:4}YYMMDDHDF{C:3}0{d:1}|CURP
in_aadhaar|in_.aadhaar|{d:4} {d:4} {d:4}|Aadhaar;Aadhaar number;UIDAI
in_pan|in_.pan|{L:3}P{L:1}{d:4}{L:1}|PAN;PAN card
cn_resident_id|cn.ric|110105YYYYMMDD{d:4}|身份证号;身份证;ID card
kr_rrn|kr.rrn|YYMMDD-1{d:6}|주민등록번호
jp_my_number|jp.in_|{d:4} {d:4} {d:4}|マイナンバー;My Number
jp_my_number|jp.in_|{d:12}|個人番号;マイナンバー
my_nric|my.nric|YYMMDD-10-{d:4}|MyKad;NRIC;IC number
th_pin|th.pin|{d:1}-{d:4}-{d:5}-{d:2}-{d:1}|เลขประจำตัวประชาชน;Thai ID
za_id|za.idnr|YYMMDD{d:7}|ID number;SA ID
il_id|il.idnr|{d:9}|תעודת זהות;Teudat Zehut
au_tfn|au.tfn|{d:3} {d:3} {d:3}|TFN;tax file number
ca_sin|ca.sin|{d:3} {d:3} {d:3}|SIN;social insurance number
ca_sin|ca.sin|{d:3}-{d:3}-{d:3}|SIN;numéro d'assurance sociale
pk_cnic|pk.cnic|{d:5}-{d:7}-{d:1}|CNIC
uk_nhs|gb.nhs|{d:3} {d:3} {d:4}|NHS number;NHS no.
uk_nhs|gb.nhs|{d:10}|NHS number;NHS
us_itin|us.itin|9{d:2}-7{d:1}-{d:4}|ITIN;taxpayer identification number
us_ein|us.ein|{d:2}-{d:7}|EIN;employer identification number
us_ssn|us.ssn|{d:3}-{d:2}-{d:4}|SSN;social security number;social
us_ssn|us.ssn|{d:3} {d:2} {d:4}|SSN;social security number
us_ssn|us.ssn|{d:9}|SSN;social security number
"""
_LETTERS = {"L": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "C": "BCDFGLMNPRSTV", "X": "0123456789ABCDEFHJKLMNPRSTUVWXY"}
_TRIES = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One kind of number and the words by which people name it."""

    type: str
    labels: tuple[str, ...]
    make: Callable[[random.Random], str]


def national() -> list[Number]:
    """Numbers of persons, of 36 countries; for some more than one way of writing them."""
    found = []
    for line in _NATIONAL.strip().splitlines():
        kind, module, template, labels = line.split("|")
        found.append(
            Number(
                type=kind,
                labels=tuple(labels.split(";")),
                make=lambda draw, template=template, module=module: _valid(draw, template, module),
            )
        )
    return [*found, *(_nino(), _sg_nric())]


def _valid(draw: random.Random, template: str, module: str) -> str:
    """Draws until the number is valid; the date stays, so that only check digits are left to chance."""
    accepts = import_module(f"stdnum.{module}").is_valid
    for _ in range(_TRIES):
        value = dated(draw, template)
        for letter, alphabet in _LETTERS.items():
            while f"{{{letter}:" in value:
                head, _, rest = value.partition(f"{{{letter}:")
                size, _, tail = rest.partition("}")
                value = head + text_of(draw, alphabet, int(size)) + tail
        value = fill(draw, value)
        if accepts(value.replace(" ", "-") if module == "us.ssn" else value):
            return value
    raise ValueError(f"no valid {module} of {template}")


def dated(draw: random.Random, template: str) -> str:
    """The template with one date of birth in it."""
    year, month, day = draw.randint(1950, 1999), draw.randint(1, 12), draw.randint(1, 28)
    for name, text in (
        ("YYYY", f"{year}"), ("YY", f"{year % 100:02}"), ("MM", f"{month:02}"), ("{DAY}", f"{day:02}"),
        ("DD", f"{day:02}"),
    ):  # fmt: skip
        template = template.replace(name, text)
    return template


def _nino() -> Number:
    def make(draw: random.Random) -> str:
        prefix = draw.choice(["AB", "CE", "JK", "LM", "PR", "SC", "WL", "YT", "EH", "HN"])
        parts = [prefix, *(fill(draw, "{d:2}") for _ in range(3)), draw.choice("ABCD")]
        return draw.choice(["", " "]).join(parts)

    return Number(type="uk_nino", labels=("NINO", "National Insurance number", "NI number"), make=make)


def _sg_nric() -> Number:
    def make(draw: random.Random) -> str:
        digits = fill(draw, "{d:7}")
        total = sum(int(digit) * weight for digit, weight in zip(digits, (2, 7, 6, 5, 4, 3, 2), strict=True))
        return f"S{digits}{'JZIHGFEDCBA'[total % 11]}"

    return Number(type="sg_nric", labels=("NRIC", "FIN", "NRIC no."), make=make)


_CARDS = (
    ("4", 16), ("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15), ("6011", 16),
    ("65", 16), ("3528", 16), ("36", 14), ("62", 16), ("50", 16),
)  # fmt: skip


def card(draw: random.Random) -> str:
    """A card number, ISO/IEC 7812, in one of the groupings that are printed."""
    prefix, length = draw.choice(_CARDS)
    body = prefix + fill(draw, f"{{d:{length - 1 - len(prefix)}}}")
    total = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(reversed(body)))
    number = body + str(-total % 10)
    if length == 15 or length == 14:
        groups = (number[:4], number[4:10], number[10:])
    else:
        groups = (number[:4], number[4:8], number[8:12], number[12:])
    return draw.choice(["", " ", " ", "-"]).join(groups)


_IBANS = [
    "DE18n",
    "GB4a14n",
    "FR10n11c2n",
    "ES20n",
    "IT1a10n12c",
    "NL4a10n",
    "BE12n",
    "AT16n",
    "CH5n12c",
    "PL24n",
    "SE20n",
    "NO11n",
    "DK14n",
    "FI14n",
    "IE4a14n",
    "PT21n",
    "CZ20n",
    "SK20n",
    "HU24n",
    "RO4a16c",
    "BG4a6n8c",
    "GR7n16c",
    "HR17n",
    "SI15n",
    "LT16n",
    "LV4a13c",
    "EE16n",
    "LU3n13c",
    "MT4a5n18c",
    "CY8n16c",
    "TR6n16c",
    "SA2n18c",
    "AE19n",
    "IL19n",
    "BR23n1a1c",
    "MC10n11c2n",
    "LI5n12c",
    "IS22n",
    "UA6n19c",
    "RS18n",
    "GE2a16n",
    "KZ3n13c",
]


def iban(draw: random.Random) -> str:
    """An IBAN, ISO 13616, of the country's length, in groups of four or in one piece."""
    form = draw.choice(_IBANS)
    country, rest, body, count = form[:2], form[2:], "", ""
    for char in rest:
        if char.isdigit():
            count += char
        else:
            alphabet = {"n": "0123456789", "a": _LETTERS["L"], "c": "0123456789" + _LETTERS["L"]}[char]
            body, count = body + text_of(draw, alphabet, int(count)), ""
    check = 98 - int("".join(str(int(char, 36)) for char in f"{body}{country}00")) % 97
    value = f"{country}{check:02}{body}"
    if not known_iban.is_valid(value):  # some countries have check digits of their own inside
        return iban(draw)
    if draw.random() < 0.5:
        return " ".join(value[at : at + 4] for at in range(0, len(value), 4))
    return value


_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def wallet(draw: random.Random) -> str:
    """An address of Bitcoin (base58check or BIP 173) or Ethereum (without the optional checksum of case)."""
    kind = draw.choice(["p2pkh", "p2sh", "bech32", "ethereum"])
    if kind == "ethereum":
        return "0x" + fill(draw, "{hex:40}")
    payload = draw.randbytes(20)
    if kind == "bech32":
        return _bech32(payload)
    data = (b"\x00" if kind == "p2pkh" else b"\x05") + payload
    data += hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4]
    number, found = int.from_bytes(data), ""
    while number:
        number, rest = divmod(number, 58)
        found = _BASE58[rest] + found
    return "1" * (len(data) - len(data.lstrip(b"\x00"))) + found


def _bech32(payload: bytes) -> str:
    bits = int.from_bytes(payload)
    words = [0, *(bits >> shift & 31 for shift in range(155, -1, -5))]
    values = [3, 3, 0, 2, 3, *words, 0, 0, 0, 0, 0, 0]  # "bc", expanded
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> place & 1 else 0
    check ^= 1
    words += [check >> 5 * (5 - place) & 31 for place in range(6)]
    return "bc1" + "".join(_BECH32[word] for word in words)
