"""What others cost and find on the same texts: our rules on Python's `re`, detect-secrets, Presidio's patterns.

The peers are optional: what is not installed is said to be so (`requirements/peers.txt`). Python's `re` is asked the
same questions as RE2, as far as it takes the patterns; matches are not judged, so its figure is too good if anything.
"""

from __future__ import annotations

import importlib
import re
import tempfile
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from agent.guardrails import Rule
from agent.inspection.evaluation import Row, Scoring, parse_row
from agent.model.findings import Family, Finding
from tests.data.eval import generate

type Detect = Callable[[str], Sequence[Finding]]

_CLASSES = {
    "[:alnum:]": "a-zA-Z0-9", "[:alpha:]": "a-zA-Z", "[:digit:]": "0-9", "[:lower:]": "a-z", "[:upper:]": "A-Z",
    "[:xdigit:]": "0-9A-Fa-f", "[:space:]": r"\s", "[:word:]": r"\w",
}  # fmt: skip
_PRESIDIO = """
    CreditCard Crypto Email Iban Ip MacAddress Phone UsItin UsSsn Nhs UkNino AuTfn CaSin DeTaxId EsNie EsNif
    FiPersonalIdentityCode InAadhaar InPan ItFiscalCode KrRrn PlPesel SePersonnummer SgFin ThTnin TrNationalId
    ZaIdNumber
"""
_SURE = 0.4  # Presidio's score below which a finding is taken for chance


def translated(rules: Iterable[Rule]) -> tuple[list[re.Pattern[bytes]], list[str]]:
    """The patterns that Python's `re` takes, in bytes, and the ids of the rules that it does not."""
    taken, refused = [], []
    for rule in rules:
        try:
            taken.append(_python(rule.pattern))
        except (re.error, Warning, OverflowError):
            refused.append(rule.id)
    return taken, refused


def _python(pattern: str) -> re.Pattern[bytes]:
    """RE2's syntax in Python's. Flags in the middle last to the end of their group, which only a parser could move."""
    for name, members in _CLASSES.items():
        pattern = pattern.replace(name, members)
    pattern = re.sub(r"(?<!\\)\$", r"\\Z", pattern.replace(r"\z", r"\Z")) if "(?m" not in pattern else pattern
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return re.compile(pattern.encode())


def naive(rules: Sequence[Rule]) -> tuple[Callable[[str], object], str]:
    """Every pattern over the whole text, one after the other."""
    patterns, refused = translated(rules)

    def scan(text: str) -> int:
        data = text.encode()
        return sum(1 for pattern in patterns for _ in pattern.finditer(data))

    return scan, f"re, every rule ({len(refused)} of {len(rules)} not taken)"


def gated(rules: Sequence[Rule]) -> tuple[Callable[[str], object], str]:
    """A rule's pattern is only searched where one of its keywords stands in the text."""
    pairs = []
    refused = 0
    for rule in rules:
        patterns, missing = translated([rule])
        refused += len(missing)
        pairs.extend(([word.encode() for word in rule.keywords], pattern) for pattern in patterns)

    def scan(text: str) -> int:
        data = text.encode()
        low = data.lower()
        return sum(
            1
            for words, pattern in pairs
            if not words or any(word in low for word in words)
            for _ in pattern.finditer(data)
        )

    return scan, f"re behind keywords ({refused} not taken)"


def installed(name: str) -> Any:  # peers have no types
    """The module, or None where the package is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def detect_secrets() -> Detect | None:
    """detect-secrets with its default plugins and filters. It reads files, so each text becomes one."""
    scanning, settings = installed("detect_secrets.core.scan"), installed("detect_secrets.settings")
    if scanning is None or settings is None:
        return None
    folder = tempfile.TemporaryDirectory(prefix="bench-")  # lives as long as the function below

    def scan(text: str) -> list[Finding]:
        file = Path(folder.name) / "text.txt"
        file.write_text(text, encoding="utf-8", errors="replace")
        found = []
        with settings.default_settings():
            for secret in scanning.scan_file(str(file)):
                at = text.find(secret.secret_value) if secret.secret_value else -1
                if at >= 0:
                    end = at + len(secret.secret_value)
                    found.append(_finding(at, end, Family.SECRET, secret.type))
        return found

    return scan


def presidio() -> Detect | None:
    """Presidio's pattern recognisers, without a language model: no names, no addresses, no context words."""
    module = installed("presidio_analyzer.predefined_recognizers")
    if module is None:
        return None
    domains = installed("tldextract")
    if domains is not None:  # it would fetch a list from the network, and count that as ours
        domains.extract = domains.TLDExtract(suffix_list_urls=())
    kinds = [
        kind for name in _PRESIDIO.split() if (kind := getattr(module, f"{name}Recognizer", None)) is not None
    ]
    recognizers = [kind() for kind in kinds]

    def scan(text: str) -> list[Finding]:
        return [
            _finding(result.start, result.end, Family.PII, result.entity_type.lower())
            for recognizer in recognizers
            for result in recognizer.analyze(text, recognizer.supported_entities, None) or ()
            if result.score >= _SURE
        ]

    return scan


def _finding(start: int, end: int, family: Family, kind: str) -> Finding:
    return Finding(start=start, end=end, family=family, type=kind, rule=kind)


def rows(names: Iterable[str]) -> list[Row]:
    """The rows of evaluation sets, made anew."""
    return [
        parse_row(line, file=f"{name}.jsonl", number=number)
        for name in names
        for number, line in enumerate(generate.lines(name), start=1)
    ]


def quality(label: str, detect: Detect, family: Family, texts: Iterable[Row]) -> None:
    """One line of the table of what is found."""
    scoring = Scoring((family,))
    for row in texts:
        scoring.add(row, sorted(detect(row.text)))
    score = scoring.report().families[family]
    figures = [score.metric(name) for name in ("precision", "recall", "f1", "false_alarms", "benign")]
    print(f"{label:<44}" + "".join(f"{'-' if figure is None else f'{figure:.3f}':>12}" for figure in figures))
