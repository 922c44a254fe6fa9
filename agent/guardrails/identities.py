"""Whether something that looks like personal data is some: cards, accounts, numbers, addresses.

Each function judges a span and, where it helps, the text right before it. What developers handle all day is let pass:
test cards, documentation addresses, noreply mailboxes, numbers reserved for fiction.
"""

from __future__ import annotations

import ipaddress

from agent.guardrails.checksums import iban_length, luhn, mod97

_TEST_CARDS = frozenset(
    {
        "4242424242424242", "4111111111111111", "4012888888881881", "4222222222222", "4005519200000004",
        "4009348888881881", "4012000033330026", "4217651111111119", "4500600000000061", "4444333322221111",
        "4988438843884305", "4917610000000000", "4916338506082832", "4539578763621486", "4532015112830366",
        "5555555555554444", "5105105105105100", "5200828282828210", "5454545454545454", "5555341244441115",
        "5424180279791732", "5425233430109903", "5500000000000004", "2223003122003222", "2223000048410010",
        "2222400070000005", "2223000048400011", "378282246310005", "371449635398431", "378734493671000",
        "374245455400126", "341111111111111", "340000000000009", "6011111111111117", "6011000990139424",
        "6011000991300009", "6011601160116611", "3056930009020004", "30569309025904", "38520000023237",
        "36227206271667", "3530111333300000", "3566002020360505", "6200000000000005", "6200000000000047",
        "6205500000000000004", "5019717010103742", "6331101999990016", "6304000000000000", "5018000000000009",
        "4263982640269299", "4917484589897107", "4001919257537193", "4007702835532454", "6362970000457013",
        "6034932528973614", "5895626746595650", "5200533989557118",
    }
)  # fmt: skip
_GENERIC_DOMAINS = frozenset(
    (
        "com net org edu gov mil int info biz name pro mobi jobs travel museum coop aero asia cat tel xyz online site "
        "tech store app dev cloud shop blog club live life world today email company agency digital media network "
        "solutions services systems group team work works studio design software consulting academy school "
        "university institute foundation community health clinic care legal law finance bank capital ventures "
        "partners global international energy support center space website page link one ai io"
    ).split()
)
_COUNTRY_DOMAINS = frozenset(
    (
        "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca "
        "cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo "
        "fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je "
        "jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo "
        "mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt "
        "pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk "
        "tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
    ).split()
)
_SERVICE_MAILBOXES = frozenset(
    (
        "git hg svn noreply no-reply no_reply donotreply do-not-reply do_not_reply mailer-daemon postmaster "
        "nobody root bounce bounces notifications notification example test user username you your.email "
        "your-email youremail your_email email name firstname.lastname"
    ).split()
)
_DOCUMENTATION_DOMAINS = ("example", "invalid", "test", "localhost", "local", "internal")
_PLACEHOLDER_DOMAINS = frozenset(
    "domain.com yourdomain.com your-domain.com mydomain.com email.com yourcompany.com company.com mail.com acme.com "
    "users.noreply.github.com".split()
)
_CALLING_CODES = frozenset(
    (
        "1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 "
        "82 84 86 90 91 92 93 94 95 98 211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 "
        "234 235 236 237 238 239 240 241 242 243 244 245 246 248 249 250 251 252 253 254 255 256 257 258 260 261 262 "
        "263 264 265 266 267 268 269 290 291 297 298 299 350 351 352 353 354 355 356 357 358 359 370 371 372 373 374 "
        "375 376 377 378 380 381 382 383 385 386 387 389 420 421 423 500 501 502 503 504 505 506 507 508 509 590 591 "
        "592 593 594 595 596 597 598 599 670 672 673 674 675 676 677 678 679 680 681 682 683 685 686 687 688 689 690 "
        "691 692 850 852 853 855 856 880 886 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 992 "
        "993 994 995 996 998"
    ).split()
)
_PUBLIC_RESOLVERS = frozenset(
    "8.8.8.8 8.8.4.4 1.1.1.1 1.0.0.1 9.9.9.9 149.112.112.112 208.67.222.222 208.67.220.220 4.2.2.2".split()
)
_VERSION_WORDS = ("version", "ver", "release", "build", "v", "rev", "oid", "section", "chapter")
_LARGEST_VERSION_PART = 40


def payment_card(value: str, before: str) -> bool:
    """A card number: Luhn, an issuer's range and its length, no well-known test number."""
    digits = _digits(value)
    if _touches(before, ".-/_+%#") or not luhn(digits) or digits in _TEST_CARDS or "00000000" in digits or len(set(digits)) < 4:
        return False
    return _issued(digits)


def _issued(digits: str) -> bool:
    """ISO/IEC 7812 issuer ranges of the large networks."""
    length, two, four = len(digits), int(digits[:2]), int(digits[:4])
    if digits[0] == "4":
        return length in (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return length == 16
    if two in (34, 37):
        return length == 15
    if two in (36, 38, 39) or 3000 <= four <= 3059:
        return length == 14
    if two in (35, 60, 62, 64, 65):
        return 16 <= length <= 19
    return False


def iban(value: str) -> int:
    """The length of the IBAN that `value` starts with, its separators included; 0 where it is none."""
    wanted = iban_length(value[:2])
    seen = 0
    for place, char in enumerate(value):
        seen += char not in " -"
        if seen == wanted:
            compact = value[: place + 1].replace(" ", "").replace("-", "")
            following = value[place + 1 : place + 2]
            return place + 1 if not following.isalnum() and mod97(compact) else 0
    return 0


def us_ssn(value: str) -> bool:
    """A social security number in an issued range, not one of the famous invalid ones nor a round number."""
    digits = _digits(value)
    area, group, serial = int(digits[:3]), int(digits[3:5]), int(digits[5:])
    if area in (0, 666) or area >= 900 or not group or not serial:
        return False
    if digits in ("078051120", "219099999", "123456789", "111223333") or len(set(digits)) == 1:
        return False
    return bool(area % 100 or group % 10 or serial % 1000)


def public_ipv4(value: str, before: str) -> bool:
    """A globally routed address that does not read as a version number or a public resolver."""
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        return False
    if not address.is_global or address.is_multicast or value in _PUBLIC_RESOLVERS:
        return False
    if before.endswith(("==", ">=", "<=", "~=", "^", "~", "@", "-", "_", ":v")):
        return False
    if before.endswith("/") and not before.endswith("//"):
        return False
    words = before.lower().rstrip(" \t=:\"'").split()
    if words and words[-1].strip("\"'(").rpartition("_")[2].rpartition("-")[2] in _VERSION_WORDS:
        return False
    return any(int(part) > _LARGEST_VERSION_PART for part in value.split("."))


def public_ipv6(value: str) -> bool:
    """A global unicast address (2000::/3) outside the documentation ranges."""
    if value.count(":") < 3:
        return False
    try:
        return ipaddress.IPv6Address(value).is_global
    except ValueError:
        return False


def email(value: str, before: str) -> bool:
    """A mailbox of a person: no service mailbox, documentation domain, file name or user part of an address."""
    if before.endswith("://") or _inside_authority(before):
        return False
    local, _, domain = value.lower().partition("@")
    if local in _SERVICE_MAILBOXES or local.startswith(("noreply", "no-reply", "donotreply")) or ".." in local:
        return False
    labels = domain.split(".")
    if labels[-1] not in _GENERIC_DOMAINS and labels[-1] not in _COUNTRY_DOMAINS:
        return False
    if labels[-1] in _DOCUMENTATION_DOMAINS or "example" in labels or domain in _PLACEHOLDER_DOMAINS:
        return False
    return not all(label.isdigit() for label in labels[:-1])


def _inside_authority(before: str) -> bool:
    """Whether the text before ends in `scheme://user:`, so that what follows is a password and a host."""
    scheme = before.rfind("://")
    return scheme >= 0 and not any(char.isspace() or char in "/?\"'`<>" for char in before[scheme + 3 :])


def phone(value: str, before: str) -> bool:
    """A telephone number of 8 to 15 digits (ITU-T E.164), with a country code that exists where it has a plus."""
    digits = _digits(value)
    if len(set(digits)) < 4 or _fictional(digits) or _touches(before, ""):
        return False
    if not value.startswith("+"):
        return 8 <= len(digits) <= 13
    if not 9 <= len(digits) <= 15:
        return False
    if digits[0] == "1":
        return len(digits) == 11 and digits[1] in "23456789" and digits[4] in "23456789"
    return any(digits[:length] in _CALLING_CODES for length in (1, 2, 3))


def phone_us(value: str, before: str) -> bool:
    """A ten-digit number of the North American plan; dots and spaces alone need a word that names a telephone."""
    digits = _digits(value)[-10:]
    if digits[1:3] == "11" or digits[4:6] == "11" or len(set(digits)) < 4 or _fictional(digits):
        return False
    if _touches(before, "-._/+#"):
        return False
    if value.count("-") == 2 or "(" in value:
        return True
    words = before.lower()[-24:]
    return any(word in words for word in ("phone", "tel", "call", "mobile", "cell", "fax", "dial", "contact", "sms"))


def _fictional(digits: str) -> bool:
    """Numbers that the North American plan keeps for films: 555-0100 to 555-0199."""
    return digits[-7:-2] == "55501"


def _touches(before: str, marks: str) -> bool:
    """Whether a letter, a digit or one of `marks` stands right before; the letter of an escaped line break may."""
    if before.endswith(("\\n", "\\r", "\\t")):
        return False
    return before[-1:].isalnum() or before[-1:] in tuple(marks)


def _digits(value: str) -> str:
    return "".join(char for char in value if char in "0123456789")
