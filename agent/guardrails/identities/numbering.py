"""How countries write telephone numbers, and which numbers they keep for fiction. Data only.

A grouping is the count of digits in each group, as dialled in the country: "3 4 4" is 020 7946 1234.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CALLING_CODE: Mapping[str, int] = MappingProxyType(
    {
        "US": 1, "EG": 20, "ZA": 27, "GR": 30, "NL": 31, "BE": 32, "FR": 33, "ES": 34, "HU": 36, "IT": 39, "RO": 40,
        "CH": 41, "AT": 43, "GB": 44, "DK": 45, "SE": 46, "NO": 47, "PL": 48, "DE": 49, "AR": 54, "BR": 55, "CL": 56,
        "CO": 57, "MX": 52, "MY": 60, "AU": 61, "ID": 62, "PH": 63, "NZ": 64, "SG": 65, "TH": 66, "RU": 7, "JP": 81,
        "KR": 82, "VN": 84, "CN": 86, "TR": 90, "IN": 91, "PK": 92, "IR": 98, "MA": 212, "DZ": 213, "NG": 234,
        "KE": 254, "PT": 351, "IE": 353, "FI": 358, "BG": 359, "UA": 380, "RS": 381, "HR": 385, "SI": 386, "CZ": 420,
        "SK": 421, "TW": 886, "BD": 880, "SA": 966, "AE": 971, "IL": 972,
    }
)  # fmt: skip
"""Country code (ITU-T E.164) of the regions below."""

GROUPINGS: Mapping[str, str] = MappingProxyType(
    {
        "2 2 2 2 2": "FR NL MA DZ",
        "3 2 2 2 2": "DE",
        "2 3 4": "KR NZ IE AU TH IL FI IR NL",
        "2 4 4": "JP AU KR MY TW ID VN",
        "2 3 2 2": "BE SE AT",
        "2 4 3": "SI",
        "2 3 3 2": "SE",
        "2 8": "NL IT DE",
        "2 7": "NZ BE AT IL",
        "3 3 3": "CH HR RS BG SI FI BE",
        "3 3 4": "KR ZA NZ IE TH VN MY HR FI BG RS SA AE IL EG NL UA DE TR",
        "3 4 4": "GB JP KR EG VN CN DE",
        "3 3 2 2": "CH SE UA TR BE AT RS",
        "3 2 2 2": "BE SE",
        "3 2 3 2": "CH SE",
        "3 2 2 3": "DE",
        "3 4 3": "HR FI TH RS",
        "3 5": "DE AT FI",
        "3 6": "DE HR BE SE RS AT IT",
        "3 7": "DE NL IL HR UA SE IE FI IT EG",
        "3 8": "DE CN GB",
        "4 6": "GB DE NL AU IE KE SK IT RO SE",
        "4 7": "DE GB AT CN TR PK NG",
        "4 8": "DE CN",
        "4 3 3": "AU RO SK DE TW IN ID KE SE NL",
        "4 2 2 2": "BE IE SE",
        "4 3 4": "GB TR PH NG PK DE IR AT ID CN",
        "4 4 4": "ID CN DE",
        "4 3 2 2": "TR AT DE",
        "4 4 3": "ID DE",
        "4 5": "DE AT GB",
        "5 3 3": "GB",
        "5 6": "GB DE IN BD AT",
        "5 5": "GB DE JP",
        "5 7": "DE",
        "5 2 4": "JP",
        "3 3 5": "DE",
        "4 4 2": "DE",
        "3 4 5": "DE",
        "2 2 3 4": "HU",
    }
)
"""Groupings of numbers that are dialled with a leading zero, and the regions that use them."""

OPEN_GROUPINGS: Mapping[str, str] = MappingProxyType(
    {
        "2 5 4": "BR",
        "2 4 4": "BR",
        "2 3 2 2": "ES PL",
        "1 3 3 2 2": "RU",
        "1 3 3 4": "RU",
        "3 4 4": "CN",
        "5 5": "IN",
        "3 2 2 2": "ES",
    }
)
"""The same for numbers that are dialled as they are."""

FICTIONAL = (
    # Ofcom, United Kingdom
    "442079460", "441134960", "441144960", "441154960", "441164960", "441174960", "441184960", "441214960",
    "441314960", "441414960", "441514960", "441614960", "441632960", "441914980", "442890180", "442920180",
    "443069990", "447700900", "448081570", "449098790",
    # ACMA, Australia
    "6125550", "6135550", "6175550", "6185550", "6127010", "6137010", "6177010", "6187010", "61491570",
    # ARCEP, France
    "3319900", "3326191", "3335301", "3346571", "3353649", "3363998",
    # Bundesnetzagentur, Germany
    "493023125", "496990009", "494066969", "492214710", "498999998", "4915228817", "4917139200",
    # PTS, Sweden
    "4631390060", "4640628040", "468465004", "46701740605", "46980319",
)  # fmt: skip
"""Beginnings of numbers, with country code, that regulators keep for films and documentation."""
