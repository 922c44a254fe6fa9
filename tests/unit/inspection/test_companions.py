"""Files that go with a policy become rules, and part of what the policy is."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from agent.errors import PolicyError
from agent.guardrails.fingerprint_file import FingerprintWriter
from agent.inspection import Companions, RuleBook
from agent.inspection.companions import extension
from agent.policy import load
from tests.unit.guardrails.test_fingerprints import words

DATA = Path(__file__).parents[2] / "data" / "gitleaks"
FILES = {f"packs/{name}": (DATA / name).read_bytes() for name in ("company.toml", "base.toml")}
GUARDRAILS = "guardrails:\n  - {id: g, detect: [secret, custom], action: redact}\n"
PACK = "packs:\n  - {id: corp, file: packs/company.toml}\n"
OWN = "detectors:\n  - {id: own-source, fingerprints: own.dbfp}\n"
SOURCE = " ".join(words(1, 400))


def book(more: str, files: dict[str, bytes] | None = None, keys: dict[str, bytes] | None = None) -> RuleBook:
    policy = load(f"schema_version: 1\nid: p\n{more}", source="p.yaml")
    return RuleBook(policy, Companions(files=files or {}, keys=keys or {}))


def fingerprints(secret: bytes = b"") -> dict[str, bytes]:
    writer = FingerprintWriter("own", bytes(16), secret)
    writer.add("a", SOURCE)
    return {"own.dbfp": writer.written()[0]}


def test_the_rules_of_a_pack_and_of_what_it_extends_are_used() -> None:
    rules = book(GUARDRAILS + PACK, FILES)
    found = rules.scan("CORP-123456 and base_abcdefghijkl")
    assert [(finding.rule, finding.type) for finding in found] == [
        ("corp/corp-ticket", "corp_ticket"),
        ("corp/base-token", "base_token"),
    ]
    assert {note.rule for note in rules.notes} >= {"keystore", "corp-login"}


def test_a_pack_in_our_own_format_is_read_strictly() -> None:
    pack = "packs:\n  - {id: own, file: a.toml, format: drawbridge, family: label}\n"
    rule = b"[[rules]]\nid = 'seal'\nregex = 'SEAL-[0-9]{3}'\n"
    guardrail = "guardrails:\n  - {id: g, detect: [label/seal], action: alert}\n"
    assert book(guardrail + pack, {"a.toml": rule}).scan("SEAL-123")[0].rule == "own/seal"
    with pytest.raises(PolicyError, match="unknown key path"):
        book(pack, {"a.toml": rule + b"path = 'x'\n"})


def test_a_selector_must_name_a_type_that_there_is() -> None:
    wrong = "guardrails:\n  - {id: g, detect: [secret/corp_tiket], action: redact}\n"
    with pytest.raises(PolicyError, match="guardrail g: 'secret/corp_tiket' selects no known type"):
        book(wrong + PACK, FILES)
    assert book(wrong.replace("tiket", "ticket") + PACK, FILES).scan("CORP-123456")


def test_a_pack_of_the_family_custom_stands_beside_the_policys_detectors() -> None:
    pack = "packs:\n  - {id: a, file: a.toml, family: custom}\n"
    guardrail = (
        "guardrails:\n  - {id: g, detect: [custom/own-source, custom/seal, custom/n], action: alert}\n"
    )
    rule = {"a.toml": b"[[rules]]\nid = 'seal'\nregex = 'SEAL-[0-9]{3}'\n"}
    rules = book(guardrail + pack + OWN + "  - {id: n, keywords: [Nightjar]}\n", fingerprints() | rule)
    assert {each.type for each in rules.scan(f"Nightjar SEAL-123 {SOURCE}")} == {"n", "seal", "own-source"}


def test_the_digest_covers_the_files() -> None:
    plain, one = book(GUARDRAILS), book(GUARDRAILS + PACK, FILES)
    other = book(GUARDRAILS + PACK, FILES | {"packs/base.toml": FILES["packs/base.toml"] + b"\n"})
    assert plain.digest == plain.policy.digest
    assert len({plain.digest, one.digest, other.digest, one.policy.digest}) == 4
    assert one.digest == book(GUARDRAILS + PACK, FILES).digest


def test_a_file_that_was_not_given_or_is_no_text_is_named() -> None:
    with pytest.raises(PolicyError, match=r"packs/company\.toml"):
        book(PACK)
    with pytest.raises(PolicyError, match=r"packs/company\.toml is not UTF-8"):
        book(PACK, {"packs/company.toml": b"\xff"})


def test_a_bad_rule_of_a_pack_is_refused_also_where_no_guardrail_uses_it() -> None:
    with pytest.raises(PolicyError, match=r"packs/company\.toml: rule bad: RE2 refuses"):
        book(PACK, {"packs/company.toml": b"[[rules]]\nid='bad'\nregex='('\n"})
    ours = PACK.replace("toml}", "toml, format: drawbridge, family: check}")
    with pytest.raises(PolicyError, match=r"packs/company\.toml: rule bad: RE2 refuses"):
        book(ours, {"packs/company.toml": b"[[rules]]\nid='bad'\nregex='('\n"})


@pytest.mark.parametrize("path", ["../x.toml", "/x.toml", "a\\b"])
def test_an_extension_outside_the_folder_is_refused(path: str) -> None:
    with pytest.raises(PolicyError, match="must be the name of a file"):
        extension("packs/a.toml", f"[extend]\npath = '{path}'")
    assert extension("packs/a.toml", "[extend]\npath = './b.toml'") == "packs/b.toml"
    assert extension("packs/a.toml", "") is None


def test_documents_are_found_among_the_findings_of_the_rules() -> None:
    more = OWN + "  - {id: name, keywords: [Nightjar]}\n"
    rules = book(GUARDRAILS + more, fingerprints())
    text = f"Nightjar {' '.join(words(2, 50))} {SOURCE}"
    first, second = rules.scan(text)
    assert (first.type, second.type, second.rule) == ("name", "own-source", "own-source")
    assert 0.9 < second.score <= 1
    assert text[second.start : second.end] in SOURCE
    assert any(note.key == "fingerprints" for note in rules.notes)


def test_of_overlapping_findings_the_graver_action_wins_and_nothing_is_uncovered() -> None:
    policy = (
        "guardrails:\n  - {id: b, detect: [custom/name], action: block}\n"
        "  - {id: a, detect: [custom/own-source], action: alert}\n" + OWN
    )
    word = words(1, 400)[200]
    rules = book(policy + f"  - {{id: name, keywords: [{word}]}}\n", fingerprints())
    found = rules.scan(SOURCE)
    assert {"name", "own-source"} == {finding.type for finding in found}
    assert all(one.end <= two.start for one, two in pairwise(found))


def test_what_is_left_when_the_found_regions_are_gone_is_clean() -> None:
    rules = book(GUARDRAILS + OWN, fingerprints())
    text = f"{' '.join(words(2, 80))} {' '.join(words(1, 400)[:180])} {' '.join(words(3, 80))} {SOURCE[900:2000]}"
    found = rules.scan(text)
    assert len(found) == 2
    for finding in reversed(found):
        text = f"{text[: finding.start]}[REDACTED:own-source]{text[finding.end :]}"
    assert not rules.scan(text)


def test_documents_that_no_guardrail_asks_for_are_read_and_not_looked_for() -> None:
    assert not book(OWN, fingerprints()).scan(SOURCE)
    with pytest.raises(PolicyError, match=r"own\.dbfp: not a fingerprint file"):
        book(OWN, {"own.dbfp": b"x"})


def test_the_key_of_a_detector_is_handed_over_by_its_id() -> None:
    keyed = OWN.replace("own.dbfp", "own.dbfp, key: 'env:FP_KEY'")
    assert book(GUARDRAILS + keyed, fingerprints(b"k"), {"own-source": b"k"}).scan(SOURCE)
    with pytest.raises(PolicyError, match="another key"):
        book(keyed, fingerprints(b"k"), {"own-source": b"j"})
