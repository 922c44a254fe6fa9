"""Numbers that states give to persons: which check belongs to which kind.

The checks are those of `python-stdnum`, and of `offices` where it has none. Numbers with a shape of their own are found
without a word before them: then their check digits count, and dates in them must not be recent ones, which builds,
orders and log files have too. All others need a label, which is the rule's business, not this module's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from stdnum.ar import cuit
from stdnum.ar import dni as ar_dni
from stdnum.at import vnr
from stdnum.au import tfn
from stdnum.be import nn
from stdnum.bg import egn
from stdnum.br import cnpj, cpf
from stdnum.ca import sin
from stdnum.ch import ssn as ahv
from stdnum.cl import rut
from stdnum.co import nit
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.ec import ci
from stdnum.ee import ik
from stdnum.es import cif, dni, nie
from stdnum.fi import hetu
from stdnum.fr import nif as fr_nif
from stdnum.fr import nir
from stdnum.gb import nhs, utr
from stdnum.gr import amka
from stdnum.gr import vat as afm
from stdnum.hr import oib
from stdnum.id import nik
from stdnum.ie import pps
from stdnum.il import idnr as il_idnr
from stdnum.in_ import aadhaar, pan
from stdnum.is_ import kennitala
from stdnum.it import codicefiscale, iva
from stdnum.jp import in_ as my_number
from stdnum.lt import asmens
from stdnum.mx import curp, rfc
from stdnum.my import nric
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.nz import ird
from stdnum.pe import cui
from stdnum.pk import cnic
from stdnum.pl import nip, pesel
from stdnum.pt import cc, nif
from stdnum.ro import cnp
from stdnum.ru import inn
from stdnum.se import personnummer
from stdnum.si import emso
from stdnum.th import pin
from stdnum.tr import tckimlik
from stdnum.ua import rntrc
from stdnum.us import ein
from stdnum.ve import rif
from stdnum.za import idnr as za_idnr

from agent.guardrails.identities import offices
from agent.guardrails.identities.surroundings import (
    announces_telephone,
    digits_of,
    otherwise_named,
    touches,
)

type Check = Callable[[str], bool]

_SPACING = str.maketrans("", "", " .-/\u00a0")
_RECENT = 2012
_SHORT_RECENT = ("10", "30")


def us_ssn(value: str, before: str) -> bool:
    """United States: an issued range, not one of the famous invalid ones nor a round number."""
    digits = digits_of(value)
    if len(digits) != 9 or otherwise_named(before):
        return False
    area, group, serial = int(digits[:3]), int(digits[3:5]), int(digits[5:])
    if area in (0, 666) or area >= 900 or not group or not serial:
        return False
    if digits in ("078051120", "219099999", "123456789", "111223333") or len(set(digits)) == 1:
        return False
    return bool(area % 100 or group % 10 or serial % 1000)


def us_itin(digits: str) -> bool:
    """United States, taxpayers without a social security number: 9xx, a group in use."""
    group = int(digits[3:5])
    if digits[1:3] == "00" and group % 10 == 0:
        return False  # a round number
    return digits[0] == "9" and (50 <= group <= 65 or 70 <= group <= 99) and group not in (89, 93)


def uk_nino(value: str) -> bool:
    """United Kingdom: two letters that are in use together, six digits, A to D."""
    value = value.upper()
    return value[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


NATIONAL: Mapping[str, Check] = MappingProxyType(
    {
        "ar_cuit": cuit.is_valid,
        "ar_dni": ar_dni.is_valid,
        "at_svnr": vnr.is_valid,
        "au_medicare": offices.au_medicare,
        "au_tfn": tfn.is_valid,
        "be_nn": nn.is_valid,
        "bg_egn": egn.is_valid,
        "br_cnpj": cnpj.is_valid,
        "br_cpf": cpf.is_valid,
        "ca_sin": sin.is_valid,
        "ch_ahv": ahv.is_valid,
        "cl_rut": rut.is_valid,
        "cn_resident_id": offices.cn_resident_id,
        "co_nit": nit.is_valid,
        "cz_rc": rc.is_valid,
        "de_pension_number": offices.de_pension_number,
        "de_tax_id": idnr.is_valid,
        "dk_cpr": cpr.is_valid,
        "ec_ci": ci.is_valid,
        "ee_ik": ik.is_valid,
        "eg_national_id": offices.eg_national_id,
        "es_cif": cif.is_valid,
        "es_dni": dni.is_valid,
        "es_nie": nie.is_valid,
        "fi_hetu": hetu.is_valid,
        "fr_nir": nir.is_valid,
        "fr_tax_id": fr_nif.is_valid,
        "gr_afm": afm.is_valid,
        "gr_amka": amka.is_valid,
        "hk_id": offices.hk_id,
        "hr_oib": oib.is_valid,
        "hu_tax_id": offices.hu_tax_id,
        "hu_taj": offices.hu_taj,
        "id_nik": nik.is_valid,
        "ie_pps": pps.is_valid,
        "il_id": il_idnr.is_valid,
        "in_aadhaar": aadhaar.is_valid,
        "in_pan": pan.is_valid,
        "is_kennitala": kennitala.is_valid,
        "it_codice_fiscale": codicefiscale.is_valid,
        "it_partita_iva": iva.is_valid,
        "jp_my_number": my_number.is_valid,
        "kr_rrn": offices.kr_rrn,
        "kz_iin": offices.kz_iin,
        "lt_asmens_kodas": asmens.is_valid,
        "lv_personas_kods": offices.lv_personal_code,
        "mx_curp": curp.is_valid,
        "mx_rfc": rfc.is_valid,
        "my_nric": nric.is_valid,
        "nl_bsn": bsn.is_valid,
        "no_fnr": fodselsnummer.is_valid,
        "nz_ird": ird.is_valid,
        "pe_dni": cui.is_valid,
        "pk_cnic": cnic.is_valid,
        "pl_nip": nip.is_valid,
        "pl_pesel": pesel.is_valid,
        "pt_cc": cc.is_valid,
        "pt_nif": nif.is_valid,
        "ro_cnp": cnp.is_valid,
        "rs_jmbg": emso.is_valid,
        "ru_inn": inn.is_valid,
        "ru_snils": offices.ru_snils,
        "se_personnummer": personnummer.is_valid,
        "sg_nric": offices.sg_nric,
        "th_id": pin.is_valid,
        "tr_tckn": tckimlik.is_valid,
        "tw_id": offices.tw_id,
        "ua_rntrc": rntrc.is_valid,
        "uk_nhs": nhs.is_valid,
        "uk_nino": uk_nino,
        "uk_utr": utr.is_valid,
        "us_ein": ein.is_valid,
        "us_itin": us_itin,
        "ve_rif": rif.is_valid,
        "za_id": za_idnr.is_valid,
    }
)
"""Kind to check of a value without spaces, dots, dashes and slashes; for those below, of the value as it stands."""

ALONE = (
    "ar_cuit", "be_nn", "br_cnpj", "br_cpf", "ch_ahv", "cl_rut", "cn_resident_id", "cz_rc", "es_dni", "es_nie",
    "fi_hetu", "fr_nir", "hk_id", "in_pan", "it_codice_fiscale", "kr_rrn", "mx_curp", "my_nric", "pk_cnic",
    "ru_snils", "se_personnummer", "sg_nric", "th_id", "tw_id", "uk_nhs", "uk_nino", "us_itin",
)  # fmt: skip
"""Kinds that have a shape of their own."""

_AS_WRITTEN = frozenset(("fi_hetu", "hk_id"))
_YEAR_FIRST = frozenset(("se_personnummer", "cz_rc", "be_nn", "my_nric", "fi_hetu"))


def named(kind: str) -> Callable[[str, str], bool]:
    """The check of a kind behind its label."""
    check = NATIONAL[kind]
    bare = kind not in _AS_WRITTEN

    def judged(value: str, before: str) -> bool:
        if touches(before, "") or otherwise_named(before):
            return False
        plain = value.translate(_SPACING) if bare else value
        return len(set(plain)) > 2 and _checked(check, plain)

    return judged


def standing_alone(kind: str) -> Callable[[str, str], bool]:
    """The check of a kind without a label: nothing right before it that makes it a part of something longer."""
    check = named(kind)
    year_first = kind in _YEAR_FIRST

    def judged(value: str, before: str) -> bool:
        if touches(before, "-._/+#@%$&") or (kind == "uk_nhs" and announces_telephone(before)):
            return False
        return check(value, before) and not (year_first and _recent(value))

    return judged


def _recent(value: str) -> bool:
    """Whether the date at the front of `value` is one that builds, orders and log files have."""
    plain = value.translate(_SPACING)
    if not plain.isdigit():
        return False
    long = value[:8].isdigit()
    if long:
        return int(plain[:4]) >= _RECENT
    return _SHORT_RECENT[0] <= plain[:2] <= _SHORT_RECENT[1] and plain[4:6] <= "31"


def _checked(check: Check, value: str) -> bool:
    """Shapes are checked by the rules; what still breaks a check's arithmetic is no number of the kind."""
    try:
        return bool(check(value))
    except (ValueError, IndexError, TypeError):
        return False
