"""The sections of a policy that name files: packs, and detectors with fingerprints."""

from __future__ import annotations

import pytest

from agent.errors import PolicyError
from agent.model.findings import Family
from agent.policy import Pack, PackFormat, Policy, load


def policy(more: str) -> Policy:
    return load(f"schema_version: 1\nid: p\n{more}", source="p.yaml")


def test_a_pack_is_of_gitleaks_and_of_secrets_unless_it_says_otherwise() -> None:
    (pack,) = policy("packs: [{id: company, file: packs/company.toml}]").packs
    assert pack == Pack(
        id="company", file="packs/company.toml", format=PackFormat.GITLEAKS, family=Family.SECRET
    )


@pytest.mark.parametrize(
    "file", ["/etc/x", "../x", "a/../x", "./x", "a//b", "a\\b", "C:x", "a/", "", "a\0b", "x" * 300]
)
def test_a_file_outside_the_policys_folder_is_refused(file: str) -> None:
    quoted = file.replace("\\", "\\\\").replace("\0", "\\0")
    with pytest.raises(PolicyError, match=r"p.yaml:3: packs\[0\].file"):
        policy(f'packs: [{{id: a, file: "{quoted}"}}]')


def test_ids_of_packs_are_unique() -> None:
    with pytest.raises(PolicyError, match="'a' is already the id"):
        policy("packs: [{id: a, file: x}, {id: a, file: y}]")


def test_a_family_that_is_none_is_an_error_and_no_crash() -> None:
    rule = "guardrails: [{id: g, detect: [secret/x], action: alert}]\n"
    with pytest.raises(PolicyError, match=r"packs\[0\].family"):
        policy(rule + "packs: [{id: a, file: x, family: [secret]}]")


def test_types_of_a_packs_family_are_not_judged_before_it_is_read() -> None:
    rule = "guardrails: [{id: g, detect: [label/corp_seal], action: alert}]\n"
    assert policy(rule + "packs: [{id: a, file: x, family: label}]").guardrails


@pytest.mark.parametrize(
    ("detector", "reason"),
    [
        ("{id: d, fingerprints: a.dbfp, pattern: x}", "one of them"),
        ("{id: d, pattern: x, min_match: 0.5}", "are for fingerprints"),
        ("{id: d, keywords: [ab], key: 'env:KEY'}", "are for fingerprints"),
        ("{id: d, fingerprints: a.dbfp, ignore_case: true}", "is for keywords"),
        ("{id: d, fingerprints: a.dbfp, min_match: 0}", "must be greater than 0"),
        ("{id: d, fingerprints: a.dbfp, min_shingles: 2}", "greater than or equal to 3"),
    ],
)
def test_a_detector_is_of_one_kind(detector: str, reason: str) -> None:
    with pytest.raises(PolicyError, match=reason):
        policy(f"detectors: [{detector}]")
