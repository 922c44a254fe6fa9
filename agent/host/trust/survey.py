"""Who trusts our roots on this machine: every store that this account can look into, and some programs, really asked.

Changes nothing. Blocks.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from agent.errors import HostError
from agent.host.trust.files import PublicFiles
from agent.host.trust.probe import Sample, Verdict, ask_node, ask_openssl
from agent.host.trust.store import Access, Root, Site, TrustStore

_NODE_VARIABLE = "NODE_EXTRA_CA_CERTS"


class State(StrEnum):
    """How a store or a program takes our roots."""

    TRUSTED = "trusted"
    MISSING = "missing"
    NOT_THERE = "not there"  # this machine has no such store or program
    NOT_PERMITTED = "not permitted"  # this account cannot look
    UNKNOWN = "unknown"  # what would tell is not installed


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the survey. `counts`: whether a machine that is set up right has it trusted."""

    name: str
    state: State
    reason: str = ""
    remedy: str = ""
    counts: bool = True

    @property
    def lacks(self) -> bool:
        """Whether something is to be done about it."""
        return self.counts and self.state not in (State.TRUSTED, State.NOT_THERE)


def survey_stores(stores: Iterable[TrustStore], roots: Sequence[Root]) -> tuple[Row, ...]:
    """One row for every place of every store: it trusts all of `roots`, or it does not."""
    return tuple(_row(store, site, roots) for store in stores for site in store.sites())


def survey_files(files: PublicFiles, roots: Sequence[Root]) -> Row:
    """The certificate files for everybody."""
    name = f"files for programs: {files.folder}"
    try:
        text = files.read(str(files.folder))
    except HostError as error:
        return Row(name=name, state=State.NOT_PERMITTED, reason=str(error), counts=False)
    if text is None or not files.bundle.exists():
        remedy = "sudo drawbridge ca install"
        return Row(name=name, state=State.MISSING, remedy=remedy, counts=False)
    if any(root.pem not in text for root in roots):
        reason = "they hold other roots"
        remedy = "sudo drawbridge ca install"
        return Row(name=name, state=State.MISSING, reason=reason, remedy=remedy, counts=False)
    return Row(name=name, state=State.TRUSTED, counts=False)


def survey_programs(
    sample: Sample | None,
    *,
    environ: Mapping[str, str],
    find: Callable[[str], str | None] = shutil.which,
    openssl: Callable[[Sample], Verdict] = ask_openssl,
    node: Callable[[Sample, str], Verdict] = ask_node,
) -> tuple[Row, ...]:
    """Ask programs to accept a leaf of ours; without a `sample`, since this account may not sign, none is asked."""
    python = "OpenSSL's default (Python)"
    if sample is None:
        reason = "a leaf to try needs the authority's key, which this account may not read"
        return (Row(name=python, state=State.NOT_PERMITTED, reason=reason, counts=False),)
    verdict = openssl(sample)
    rows = [_asked(python, verdict, "sudo drawbridge ca install, or set SSL_CERT_FILE to the bundle")]
    program = find("node")
    if program is None:
        rows.append(Row(name="Node.js", state=State.NOT_THERE, counts=False))
    else:
        value = environ.get(_NODE_VARIABLE)
        name = f"Node.js ({_NODE_VARIABLE}{'=' + value if value else ' is not set'})"
        remedy = f"start it with drawbridge exec, or set {_NODE_VARIABLE} to the file with our roots"
        rows.append(_asked(name, node(sample, program), remedy, counts=False))
    return tuple(rows)


def _row(store: TrustStore, site: Site, roots: Sequence[Root]) -> Row:
    if site.access is Access.ABSENT:
        return Row(name=site.title, state=State.NOT_THERE, remedy=site.remedy)
    if site.access is Access.UNKNOWN:
        return Row(name=site.title, state=State.UNKNOWN, remedy=site.remedy)
    try:
        lacking = [root for root in roots if not store.trusts(site.place, root)]
    except HostError as error:
        return Row(name=site.title, state=State.NOT_PERMITTED, reason=str(error), remedy=error.hint())
    if not lacking:
        return Row(name=site.title, state=State.TRUSTED)
    reason = f"lacks {lacking[0].subject}" if len(roots) > 1 else ""
    remedy = site.remedy or "drawbridge ca install"
    return Row(name=site.title, state=State.MISSING, reason=reason, remedy=remedy)


def _asked(name: str, verdict: Verdict, remedy: str, *, counts: bool = True) -> Row:
    if verdict.accepted:
        return Row(name=name, state=State.TRUSTED, counts=counts)
    return Row(name=name, state=State.MISSING, reason=verdict.reason, remedy=remedy, counts=counts)
