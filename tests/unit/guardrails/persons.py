"""Made-up persons' data that passes every check: one or more samples for every bundled rule for personal data.

Numbers with check digits are drawn until the check of the kind accepts them; nothing here belongs to anybody but by
chance. A template is text in which `#` is any digit, `@` any capital, and words in braces are dates of birth.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from agent.guardrails.identities.national import NATIONAL
from tests.unit.guardrails.draw import DIGITS, LOWER, UPPER, Draw, Maker

_PLAIN = str.maketrans("", "", " .-/")
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def filled(draw: Draw, template: str) -> str:
    """`template` with its marks replaced."""
    year, month, day = draw.random.randint(40, 99), draw.random.randint(1, 12), draw.random.randint(1, 28)
    text = template.format(
        ymd=f"{year:02}{month:02}{day:02}",
        dmy=f"{day:02}{month:02}{year:02}",
        long=f"19{year:02}{month:02}{day:02}",
        dotted=f"{year:02}.{month:02}.{day:02}",
        milli=f"{day:02}{month:02}9{year:02}",
    )
    return "".join(
        draw.random.choice(DIGITS) if char == "#" else draw.random.choice(UPPER) if char == "@" else char
        for char in text
    )


def checked(draw: Draw, kind: str, template: str) -> str:
    """A value of `kind` in the form of `template`, with right check digits."""
    check = NATIONAL[kind]
    for _ in range(200_000):
        value = filled(draw, template)
        bare = value if kind in ("fi_hetu", "hk_id") else value.translate(_PLAIN)
        try:
            if "0000" not in value and len(set(bare)) > 4 and check(bare):
                return value
        except (ValueError, IndexError):
            continue
    raise AssertionError(f"no {kind} of the form {template}")


def alone(kind: str, *templates: str) -> tuple[Maker, ...]:
    """Makers of values that stand for themselves."""
    return tuple((lambda d, t=template: checked(d, kind, t)) for template in templates)


def named(kind: str, *pairs: tuple[str, str]) -> tuple[Maker, ...]:
    """Makers of values behind a label."""

    def maker(label: str, template: str) -> Maker:
        def make(draw: Draw) -> tuple[str, str]:
            value = checked(draw, kind, template)
            return f"{label}{value}", value

        return make

    return tuple(maker(label, template) for label, template in pairs)


def after(label: str, make: Callable[[Draw], str]) -> Maker:
    """A maker of a value behind a label."""

    def made(draw: Draw) -> tuple[str, str]:
        value = make(draw)
        return f"{label}{value}", value

    return made


def _ssn(draw: Draw, mark: str) -> str:
    r = draw.random
    return mark.join((f"{r.randint(101, 199)}", f"{r.randint(11, 19)}", f"{r.randint(1001, 9899)}"))


def base58check(draw: Draw, version: int) -> str:
    """An address of a wallet with its checksum."""
    import hashlib

    data = bytes([version, *(draw.random.randrange(256) for _ in range(20))])
    data += hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4]
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = _BASE58[rest] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def ethereum(draw: Draw) -> str:
    """An address with the checksum of EIP-55."""
    from agent.guardrails.identities.keccak import keccak256

    digits = draw.hex(40)
    marks = keccak256(digits.encode()).hex()
    return "0x" + "".join(c.upper() if m >= "8" else c for c, m in zip(digits, marks, strict=False))


def monero(draw: Draw) -> str:
    """An address with its checksum: base 58 in blocks of eight bytes."""
    from agent.guardrails.identities.keccak import keccak256

    data = bytes([18, *(draw.random.randrange(256) for _ in range(64))])
    data += keccak256(data)[:4]
    text = ""
    for start in range(0, len(data), 8):
        block = data[start : start + 8]
        number, digits = int.from_bytes(block, "big"), ""
        for _ in range(11 if len(block) == 8 else 7):
            number, rest = divmod(number, 58)
            digits = _BASE58[rest] + digits
        text += digits
    return text


def routing(draw: Draw) -> str:
    """A routing transit number."""
    body = f"{draw.random.randint(1, 12):02}{draw.of('123456789', 6)}"
    total = sum(int(c) * w for c, w in zip(body, (3, 7, 1, 3, 7, 1, 3, 7), strict=True))
    return body + str(-total % 10)


CONTACT: dict[str, tuple[Maker, ...]] = {
    "email": (lambda d: f"{d.of(LOWER, 6)}.{d.of(LOWER, 7)}@{d.of(LOWER, 8)}.com",),
    "phone-international": (
        lambda d: "+44 20 7946 " + d.digits(4),
        lambda d: "+49 30 " + d.digits(4) + d.digits(4),
        lambda d: "+1 (415) 867-" + d.digits(4),
        lambda d: "+33612" + d.digits(6),
        lambda d: "+91 98765 4" + d.digits(4),
        lambda d: "+55 11 98765-" + d.digits(4),
    ),
    "phone-international-00": (
        lambda d: "0049 30 45" + d.digits(6),
        lambda d: "0033 6 12 34 5" + d.of("679", 1) + " 78",
    ),
    "phone-us": (
        lambda d: "(415) 867-" + d.digits(4),
        lambda d: "212-867-" + d.digits(4),
        lambda d: "212.867." + d.digits(4),
    ),
    "phone-grouped": (
        lambda d: "020 7946 " + d.digits(4),
        lambda d: "06 12 34 56 " + d.of("1234567", 1) + "9",
        lambda d: "030 4567" + d.digits(4),
        lambda d: "0171/345" + d.digits(4),
        lambda d: "090-1234-" + d.digits(4),
        lambda d: "010-2345-" + d.digits(4),
        lambda d: "(11) 98765-" + d.digits(4),
        lambda d: "044 668 1" + d.digits(1) + " 23",
        lambda d: "8 (912) 345-6" + d.digits(1) + "-89",
        lambda d: "0412 345 " + d.digits(3),
    ),
    "phone-named": (
        after("Tel.: ", lambda d: "211 " + d.digits(4) + d.digits(3)),
        after('"mobilePhone": "', lambda d: "612 345 " + d.digits(3)),
        after("Móvil: ", lambda d: "612345" + d.digits(3)),
        after("手机：", lambda d: "1381234" + d.digits(4)),
        after("please call me at ", lambda d: "98 76 54 3" + d.digits(1)),
        after("you can reach her at ", lambda d: "962 051 0" + d.digits(2)),
    ),
}  # fmt: skip

MONEY: dict[str, tuple[Maker, ...]] = {
    "payment-card": (
        lambda d: d.luhn("4539", 16),
        lambda d: " ".join(textwrap.wrap(d.luhn("5412", 16), 4)),
        lambda d: "-".join(textwrap.wrap(d.luhn("6011", 16), 4)),
        lambda d: (lambda n: f"{n[:4]} {n[4:10]} {n[10:]}")(d.luhn("3712", 15)),
    ),
    "iban": (
        lambda d: d.iban("DE", d.digits(18)),
        lambda d: " ".join(textwrap.wrap(d.iban("GB", "WEST" + d.digits(14)), 4)),
        lambda d: d.iban("FR", d.digits(20) + "A" + d.digits(2)),
        lambda d: d.iban("NL", "ABNA" + d.digits(10)).lower(),
    ),
    "bic": (after("BIC: ", lambda d: "DEUTDE" + d.of("BFMS", 2)), after('"swiftCode": "', lambda d: "BNPAFRPPXXX")),
    "us-routing-number": (after("routing number ", routing), after("ABA: ", routing)),
    "uk-sort-code": (after("sort code ", lambda d: "-".join(d.of("23456789", 2) for _ in range(3))),),
    "bank-account": (after("account number: ", lambda d: d.digits(10)),),
    "bank-account-in-context": (after("our bank: First Union, account ", lambda d: d.digits(9)),),
    "crypto-wallet": (lambda d: base58check(d, 0), lambda d: base58check(d, 5), lambda d: base58check(d, 0x41)),
    "crypto-wallet-segwit": (lambda d: "bc1q" + "ar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",),
    "crypto-wallet-ethereum": (ethereum,),
    "crypto-wallet-monero": (after("monero wallet ", monero),),
    "crypto-wallet-solana": (
        after("solana wallet ", lambda d: "7B37nUEh12UJqRLVQuh5bfc7H92fBDgf3L816Y" + d.of("abcdef", 6)),
    ),
}  # fmt: skip

PAPERS: dict[str, tuple[Maker, ...]] = {
    "passport": (
        after("Passport No: ", lambda d: d.of("23456789", 9)),
        after("Reisepass Nr. ", lambda d: "C01X" + d.of("23456789", 5)),
        after('"passportNumber": "', lambda d: d.of(UPPER, 2) + d.of("23456789", 7)),
    ),
    "driver-license": (
        after("Driver's License: ", lambda d: d.of(UPPER, 1) + d.of("23456789", 7)),
        after("driving licence no ", lambda d: "MORGA" + "657054SM" + "9IJ"),
    ),
    "date-of-birth": (
        after("DOB: ", lambda d: f"{d.random.randint(1, 12):02}/{d.random.randint(1, 28):02}/19{d.of('56789', 2)}"),
        after('"dateOfBirth": "', lambda d: f"19{d.of('56789', 2)}-0{d.of('123456789', 1)}-1{d.of('123456', 1)}"),
        after("geboren am ", lambda d: f"1{d.of('123456', 1)}.0{d.of('123456789', 1)}.19{d.of('56789', 2)}"),
        after("née le ", lambda d: f"1{d.of('123456', 1)} février 19{d.of('56789', 2)}"),
        after("born on ", lambda d: f"March 1{d.of('123456', 1)}, 19{d.of('56789', 2)}"),
        after("fecha de nacimiento: ", lambda d: f"1{d.of('123456', 1)} de marzo de 19{d.of('56789', 2)}"),
        after("生年月日：", lambda d: f"19{d.of('56789', 2)}年{d.of('123456789', 1)}月1{d.of('123456', 1)}日"),
    ),
    "gps-coordinates": (
        after("GPS: ", lambda d: f"48.{d.digits(5)}, 2.{d.digits(5)}"),
        after("coordinates ", lambda d: f"-33.{d.digits(5)} 151.{d.digits(5)}"),
    ),
    "gps-coordinate-field": (
        after('"latitude": ', lambda d: f"48.{d.digits(5)}"),
        after("lng=", lambda d: f"-122.{d.digits(5)}"),
    ),
    "gps-coordinates-marked": (
        lambda d: f"48.{d.digits(4)}° N, 2.{d.digits(4)}° E",
        lambda d: f"40°4{d.of('123456', 1)}'1{d.of('123456', 1)}\"N 74°00'2{d.of('123456', 1)}\"W",
    ),
    "gps-coordinates-map": (after("https://www.google.com/maps/@", lambda d: f"48.{d.digits(5)},2.{d.digits(5)}"),),
}  # fmt: skip

MACHINES: dict[str, tuple[Maker, ...]] = {
    "ipv4": (
        lambda d: f"93.{d.random.randint(41, 250)}.{d.random.randint(1, 250)}.{d.random.randint(1, 250)}",
    ),
    "ipv6": (lambda d: "2a00:1450:4001:" + d.hex(3) + "f::" + d.hex(3) + "e",),
    "mac-address": (
        lambda d: "3c:22:fb:" + d.of("123456789", 2) + ":" + d.hex(2) + ":" + d.hex(2),
        lambda d: "A4-83-E7-" + d.of("123456789", 2) + "-0E-" + d.of("23456789", 2),
    ),
}

STATES: dict[str, tuple[Maker, ...]] = {
    "us-ssn": (lambda d: _ssn(d, "-"),),
    "us-ssn-named": (
        after("SSN: ", lambda d: _ssn(d, "")),
        after("social security number is ", lambda d: _ssn(d, " ")),
    ),
    "us-itin": (lambda d: f"9{d.digits(2)}-7{d.of('1234', 1)}-{d.digits(4)}",),
    "us-itin-named": (after("ITIN ", lambda d: f"9{d.digits(2)}7{d.of('1234', 1)}{d.digits(4)}"),),
    "us-ein": named("us_ein", ("EIN: ", "12-#######")),
    "ca-sin": named("ca_sin", ("SIN: ", "### ### ###"), ("numéro d'assurance sociale ", "###-###-###")),
    "mx-curp": alone("mx_curp", "GODE{ymd}HDFRRN0#", "MABC{ymd}MJCRRL0#"),
    "mx-rfc": named("mx_rfc", ("RFC: ", "GODE{ymd}###")),
    "uk-nino": alone("uk_nino", "AB ## ## ## C", "JG######A"),
    "uk-nino-named": named("uk_nino", ("National Insurance number: ", "ab ## ## ## c")),
    "uk-nhs": alone("uk_nhs", "### ### ####"),
    "uk-nhs-named": named("uk_nhs", ("NHS number: ", "##########"), ("nhsNumber=", "###-###-####")),
    "uk-utr": named("uk_utr", ("UTR: ", "##########")),
    "ie-pps": named("ie_pps", ("PPS number ", "#######@"), ("PPSN: ", "#######@A")),
    "de-tax-id": named("de_tax_id", ("Steuer-ID: ", "###########"), ("Identifikationsnummer ", "## ### ### ###")),
    "de-pension-number": named("de_pension_number", ("Rentenversicherungsnummer: ", "65{dmy}@###")),
    "at-svnr": named("at_svnr", ("SVNR ", "#### {dmy}"), ("Sozialversicherungsnummer: ", "####{dmy}")),
    "ch-ahv": alone("ch_ahv", "756.####.####.##"),
    "ch-ahv-named": named("ch_ahv", ("AHV-Nummer: ", "756##########")),
    "fr-nir": alone("fr_nir", "1 85 05 78 0## ### ##", "2850578########"),
    "fr-tax-id": named("fr_tax_id", ("numéro fiscal : ", "0# ## ### ### ###")),
    "it-codice-fiscale": alone("it_codice_fiscale", "RSSMRA85T1#A562@", "BNCLRA7#A41F205@"),
    "it-partita-iva": named("it_partita_iva", ("Partita IVA: ", "###########")),
    "nl-bsn": named("nl_bsn", ("BSN: ", "#########"), ("burgerservicenummer ", "####.##.###")),
    "be-nn": alone("be_nn", "{dotted}-###.##"),
    "be-nn-named": named("be_nn", ("Rijksregisternummer: ", "{ymd}#####"), ("numéro national ", "{ymd} ### ##")),
    "es-dni": alone("es_dni", "########@"),
    "es-dni-named": named("es_dni", ("DNI: ", "##.###.###-@"), ("documento nacional de identidad ", "######## @")),
    "es-nie": alone("es_nie", "X#######@", "Y-#######-@"),
    "es-cif": named("es_cif", ("CIF: ", "B########")),
    "pt-nif": named("pt_nif", ("NIF: ", "2########"), ("contribuinte n.º ", "2## ### ###")),
    "pt-cc": named("pt_cc", ("Cartão de Cidadão: ", "######## # ZY#")),
    "br-cpf": alone("br_cpf", "###.###.###-##"),
    "br-cpf-named": named("br_cpf", ("CPF: ", "###########"), ('"cpf": "', "###########")),
    "br-cnpj": alone("br_cnpj", "##.###.###/0001-##"),
    "br-cnpj-named": named("br_cnpj", ("CNPJ ", "##########0001##"[:8] + "0001##")),
    "ar-cuit": alone("ar_cuit", "20-########-#"),
    "ar-cuit-named": named("ar_cuit", ("CUIT: ", "20#########")),
    "ar-dni": named("ar_dni", ("DNI ", "##.###.###")),
    "cl-rut": alone("cl_rut", "##.###.###-#"),
    "cl-rut-named": named("cl_rut", ("RUT: ", "########-#")),
    "co-nit": named("co_nit", ("NIT: ", "900.###.###-#")),
    "ec-ci": named("ec_ci", ("cédula: ", "17########")),
    "pe-dni": named("pe_dni", ("DNI: ", "########-#")),
    "ve-rif": named("ve_rif", ("RIF: ", "J-########-#")),
    "se-personnummer": alone("se_personnummer", "{ymd}-####", "{long}-####"),
    "se-personnummer-named": named("se_personnummer", ("personnummer: ", "{long}####")),
    "no-fnr": named("no_fnr", ("fødselsnummer: ", "{dmy} #####"), ("Fnr ", "{dmy}#####")),
    "dk-cpr": named("dk_cpr", ("CPR-nummer: ", "{dmy}-1###")),
    "fi-hetu": alone("fi_hetu", "{dmy}-###@", "{dmy}-####"),
    "is-kennitala": named("is_kennitala", ("kennitala: ", "{dmy}-###9")),
    "ee-isikukood": named("ee_ik", ("Isikukood: ", "3{ymd}####")),
    "lt-asmens-kodas": named("lt_asmens_kodas", ("Asmens kodas: ", "4{ymd}####")),
    "lv-personas-kods": named("lv_personas_kods", ("personas kods ", "{dmy}-1####")),
    "pl-pesel": named("pl_pesel", ("PESEL: ", "{ymd}#####"), ("numer PESEL ", "{ymd}#####")),
    "pl-nip": named("pl_nip", ("NIP: ", "###-###-##-##"), ("NIP ", "##########")),
    "cz-rc": alone("cz_rc", "{ymd}/####"),
    "cz-rc-named": named("cz_rc", ("rodné číslo: ", "{ymd}####")),
    "hu-tax-id": named("hu_tax_id", ("adóazonosító jel: ", "8#########")),
    "hu-taj": named("hu_taj", ("TAJ szám: ", "### ### ###")),
    "ro-cnp": named("ro_cnp", ("CNP: ", "1{ymd}12####")),
    "bg-egn": named("bg_egn", ("ЕГН: ", "{ymd}####"), ("EGN ", "{ymd}####")),
    "hr-oib": named("hr_oib", ("OIB: ", "###########")),
    "rs-jmbg": named("rs_jmbg", ("JMBG: ", "{milli}71####"), ("EMŠO ", "{milli}50####")),
    "gr-afm": named("gr_afm", ("ΑΦΜ: ", "#########"), ("AFM ", "#########")),
    "gr-amka": named("gr_amka", ("ΑΜΚΑ: ", "{dmy}#####")),
    "tr-tckn": named("tr_tckn", ("TC Kimlik No: ", "###########"), ("TCKN ", "###########")),
    "ua-rntrc": named("ua_rntrc", ("РНОКПП: ", "##########"), ("ІПН ", "3#########")),
    "ru-snils": alone("ru_snils", "###-###-### ##"),
    "ru-snils-named": named("ru_snils", ("СНИЛС: ", "###########")),
    "ru-inn": named("ru_inn", ("ИНН: ", "77##########"), ("INN ", "77########")),
    "kz-iin": named("kz_iin", ("ИИН: ", "{ymd}3#####")),
    "cn-resident-id": alone("cn_resident_id", "110105{long}####", "310104{long}###X"),
    "jp-my-number": named("jp_my_number", ("マイナンバー: ", "############"), ("My Number ", "#### #### ####")),
    "kr-rrn": alone("kr_rrn", "{ymd}-1######"),
    "kr-rrn-named": named("kr_rrn", ("주민등록번호: ", "{ymd}2######")),
    "in-aadhaar": named("in_aadhaar", ("Aadhaar: ", "#### #### ####"), ("आधार संख्या ", "############")),
    "in-pan": alone("in_pan", "@@@P@####@"),
    "sg-nric": alone("sg_nric", "S#######@", "G#######@"),
    "my-nric": alone("my_nric", "{ymd}-14-####"),
    "th-id": alone("th_id", "3-####-#####-##-#"),
    "th-id-named": named("th_id", ("เลขบัตรประชาชน ", "3############")),
    "tw-id": alone("tw_id", "A1########"),
    "hk-id": alone("hk_id", "A######(#)"),
    "id-nik": named("id_nik", ("NIK: ", "317401{dmy}0###")),
    "pk-cnic": alone("pk_cnic", "35202-#######-#"),
    "il-id": named("il_id", ("תעודת זהות: ", "#########"), ("Israeli ID ", "#########")),
    "au-tfn": named("au_tfn", ("TFN: ", "### ### ###"), ("tax file number ", "#########")),
    "au-medicare": named("au_medicare", ("Medicare: ", "2### ##### #")),
    "nz-ird": named("nz_ird", ("IRD number: ", "##-###-###"), ("IRD ", "1########")),
    "za-id": named("za_id", ("South African ID: ", "{ymd}####08#"), ("ID number: ", "{ymd}####08#")),
    "eg-national-id": named("eg_national_id", ("الرقم القومي: ", "2{ymd}01#####")),
}  # fmt: skip

PERSONAL = {**CONTACT, **MONEY, **PAPERS, **MACHINES, **STATES}
