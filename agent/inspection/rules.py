"""One policy, compiled: its catalog, its scanner, its guardrails, and the verdicts already known.

A `RuleBook` never changes. An exchange keeps the one it started with, so a policy that is replaced meanwhile does not
touch it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b

from agent.catalog import (
    Apps,
    LoginFacts,
    bundled_apps,
    bundled_harness,
    bundled_logins,
    bundled_telltales,
    bundled_tenant_headers,
)
from agent.dialects import UPLOADS, opaque
from agent.dialects.base import ParsedRequest
from agent.dialects.sockets import SOCKETS
from agent.errors import PolicyError
from agent.guardrails import LIMIT_RULE, LIMIT_TYPE, Scanner, bundled_rules, joined
from agent.guardrails.injection import (
    INJECTION_RULE,
    INJECTION_TYPE,
    InjectionScorer,
    bundled_scorer,
    sought_in_windows,
)
from agent.guardrails.regex import compiled
from agent.inspection.app_notes import app_notes
from agent.inspection.catalogs import catalog_of
from agent.inspection.companions import Companions, load_fingerprints, load_packs, notes
from agent.inspection.examples import Trial, check_examples, try_examples
from agent.inspection.formats import dialects_of
from agent.inspection.justified import NOTHING_JUSTIFIED, Justified
from agent.inspection.policy_rules import (
    actions,
    check_selectors,
    detectors_of,
    model_types,
    ordered,
    private_scanner,
    wanted,
)
from agent.inspection.pseudonyms import ALIAS_RULE, Vault
from agent.inspection.replacements import MARKER, STAR, is_masked
from agent.inspection.tenancy import Tenancy
from agent.inspection.tool_calls import CallReport
from agent.inspection.verdict_cache import VerdictCache
from agent.model.content import Role, Where, outermost
from agent.model.decision import Action, Fallback
from agent.model.direct import changed, direct
from agent.model.findings import Family, Finding
from agent.model.record import CaptureMode
from agent.policy import Guardrail, Policy, Subject, approval, guardrails
from agent.policy.approval import APPROVED, Approval
from agent.policy.scope import mismatch
from agent.policy.tool_calls import Report

CACHED_TEXT = 256  # characters: below this a scan costs no more than the hash
CACHE_ENTRIES = 8192
_ALIAS_MEMORY = 1 << 20


_UNTRUSTED = {
    Where.PROMPT: (Role.USER, Role.TOOL_CALL),  # of a request's tool calls, also the tools' definitions
    Where.TOOL_RESULT: (Role.TOOL_RESULT, Role.FILE),
    Where.ANSWER: (Role.ASSISTANT, Role.TOOL_RESULT),
}


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is needed to judge one exchange: the rule book, who asks for what, and the guardrails that apply."""

    rules: RuleBook
    subject: Subject
    guardrails: tuple[Guardrail, ...]
    ref: str  # a short reference that the user can quote
    justified: Justified = NOTHING_JUSTIFIED
    open_vault: OpenVault | None = None
    vault: Vault | None = None  # of the conversation, once the request is known
    approval: Approval = APPROVED  # of the program that asks

    def informed(self, request: ParsedRequest, *, unread: int = 0) -> Scope:
        """The scope once the request is known: rules may ask for its model, size and attachments. `unread` is the size
        (bytes) of a body that could not be read."""
        subject = self.subject.about(
            request.model,
            size=unread or sum([len(slot.text) for slot in outermost(request.slots)]),
            attachments=request.attachments,
        )
        chosen = guardrails.select(self.rules.policy, subject, self.ref)
        vault = self.vault
        if vault is None and self.open_vault is not None:
            vault = self.open_vault(request)
        return changed(self, subject=subject, guardrails=chosen, vault=vault)

    @property
    def capture(self) -> CaptureMode:
        """What the audit trail may keep of the content."""
        return CaptureMode.METADATA if self.approval.metadata_only else self.rules.policy.capture

    def distrusts(self, where: Where, role: Role) -> bool:
        """Whether the injection model is to judge what `role` says there: never an operator's own instructions."""
        return role in _UNTRUSTED[where] and where in self.rules.outlook(self.guardrails).suspects

    @property
    def counts(self) -> bool:
        """Whether a guardrail decides by how much was found."""
        return self.rules.outlook(self.guardrails).counts

    @property
    def restores(self) -> bool:
        """Whether an answer may hold stand-ins to be put back."""
        return self.vault is not None and self.vault.active

    @property
    def watches_answers(self) -> bool:
        """Whether any guardrail looks at answers, or stand-ins are to be put back in them."""
        return self.restores or self.rules.outlook(self.guardrails).answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What some guardrails are about, taken together."""

    suspects: frozenset[Where]  # where one asks for what the injection model finds
    counts: bool  # one decides by how much was found
    answers: bool  # one looks at answers


type Find = Callable[[str], tuple[Finding, ...]]

type OpenVault = Callable[[ParsedRequest], Vault]
"""Gives the vault of the conversation to which a request belongs."""


class RuleBook:
    """A policy that is ready to judge. Building it costs tens of milliseconds: once per policy."""

    def __init__(
        self, policy: Policy, companions: Companions | None = None, *, examples: bool = True
    ) -> None:
        """`companions` are the files that the policy names.

        Raises PolicyError where a catalog row, a detector or a file of the policy cannot work or, unless `examples`
        is False, one of its rules does not do what its own examples say.
        """
        companions = companions or Companions()
        self.policy = policy
        self.digest = companions.digest(policy)
        """Names the policy together with its files."""
        self.apps = Apps((*bundled_apps(), *(row.app() for row in policy.programs)))
        """The programs that can be told."""
        self.logins: LoginFacts = bundled_logins()
        """What requests show of accounts."""
        self.tenancy = Tenancy(policy, bundled_tenant_headers() if policy.tenants else ())
        self.catalog = self.tenancy.extended(catalog_of(policy, companions))
        self.telltales = bundled_telltales()
        """What requests to models look like where the catalog lists no path."""
        self.dialects = dialects_of(policy, companions, examples=examples)
        """The dialects that the catalog's rows speak, by name."""
        self.pseudonymizes = any(guardrail.action is Action.PSEUDONYMIZE for guardrail in policy.guardrails)
        self.alias = compiled(ALIAS_RULE.pattern, memory=_ALIAS_MEMORY, captures=False)
        harness = bundled_harness()
        self.local_tools = harness.local_tools
        telling = policy.tool_calls.report
        self.report = (
            None if telling is Report.OFF else CallReport(settings=policy.tool_calls, harness=harness)
        )
        """How tool calls are told, None where they are not."""
        pack = load_packs(policy, companions)
        self.notes = (
            *notes(policy, pack),
            *app_notes(policy, self.apps),
            *self.tenancy.notes(self.catalog),
        )
        """What the policy's own detectors do otherwise than they say."""
        detectors = detectors_of(policy)
        windowed = {rule.id for rule in sought_in_windows()}
        ours = tuple(rule for rule in bundled_rules() if rule.id not in windowed)
        rules = ordered((*ours, *detectors), pack.rules)
        check_selectors(policy, rules)
        sought = wanted(policy, rules)
        self.scanner = Scanner((*sought, ALIAS_RULE) if self.pseudonymizes else sought)
        indices = load_fingerprints(policy, companions)
        self._documents = {
            name: index for name, index in indices.items() if actions(policy, Family.CUSTOM, name)
        }
        self._ranks = {rule.id: rule.rank for rule in self.scanner.rules}
        self._ranks |= {name: max(actions(policy, Family.CUSTOM, name)) for name in self._documents}
        self._ranks[LIMIT_RULE] = max(Action)
        types = model_types()
        self.suspecting = frozenset(
            rule.id
            for rule in policy.guardrails
            if any(guardrails.rule_for((rule,), Family.INJECTION, each, rule.where[0]) for each in types)
        )
        """Ids of the guardrails that look for what the injection model finds."""
        self._outlook = self._looked(policy.guardrails)
        for rule_id, kind in {
            **{rule.id: rule.type for rule in sought_in_windows()},
            INJECTION_RULE: INJECTION_TYPE,
        }.items():
            self._ranks[rule_id] = max(actions(policy, Family.INJECTION, kind), default=Action.ALLOW)
        keeps_private = bool(policy.checks) or telling is Report.ARGUMENTS
        self._private = private_scanner() if keeps_private else None
        every = (*self.scanner.rules, *(self._private.rules if self._private is not None else ()))
        self.kinds = frozenset(
            {rule.type for rule in every}
            | {check.id for check in policy.checks}
            | self._documents.keys()
            | {LIMIT_TYPE, *types}
        )
        self._known = VerdictCache(CACHE_ENTRIES)
        self._known_private = VerdictCache(CACHE_ENTRIES)
        self._known_untrusted = VerdictCache(CACHE_ENTRIES)
        for surface in self.catalog.surfaces:
            for endpoint in surface.endpoints:
                if endpoint.socket and endpoint.socket not in SOCKETS:
                    raise PolicyError(
                        f"surface {surface.id!r}: unknown socket format {endpoint.socket!r}",
                        hint=f"known: {', '.join(sorted(SOCKETS))}",
                    )
                spoken = UPLOADS if endpoint.takes_files else {*self.dialects, opaque.NAME}
                if endpoint.dialect not in spoken and (endpoint.dialect or not endpoint.socket):
                    known = ", ".join(sorted(spoken))
                    raise PolicyError(
                        f"surface {surface.id!r}: unknown dialect {endpoint.dialect!r} for the operation "
                        f"{endpoint.operation!r}",
                        hint=f"known: {known}",
                    )
        if examples:
            check_examples(policy, self._scan_untrusted, detectors)

    def trials(self) -> tuple[Trial, ...]:
        """The examples of the policy's own rules, tried."""
        return tuple(try_examples(self.policy, self._scan_untrusted, detectors_of(self.policy)))

    @cached_property
    def scorer(self) -> InjectionScorer | None:
        """The injection model, where a guardrail looks for what it finds. Loaded when first needed, or by `warm`."""
        return bundled_scorer() if self.suspecting else None

    def warm(self, pause: Callable[[], object] = lambda: None) -> None:
        """Make now what the first exchanges would have to wait for: half a second, in any thread. `pause` is called
        between the steps, to let other threads run."""
        self.scanner.warm(pause)
        self.scorer  # noqa: B018

    def scope(self, subject: Subject, *, ref: str, justified: Justified = NOTHING_JUSTIFIED) -> Scope:
        """The scope of one exchange."""
        given = approval.judge(self.policy, subject)
        if subject.state != given.state:
            subject = replace(subject, state=given.state.value)
        chosen = guardrails.select(self.policy, subject, ref)
        return Scope(
            rules=self, subject=subject, guardrails=chosen, ref=ref, justified=justified, approval=given
        )

    def outlook(self, chosen: tuple[Guardrail, ...]) -> Outlook:
        """What the guardrails that apply to an exchange are about: mostly all of the policy's, which was found out
        once."""
        return self._outlook if chosen is self.policy.guardrails else self._looked(chosen)

    def _looked(self, chosen: tuple[Guardrail, ...]) -> Outlook:
        return Outlook(
            suspects=frozenset(
                where for rule in chosen if rule.id in self.suspecting for where in rule.where
            ),
            counts=any(rule.at_least > 1 for rule in chosen),
            answers=any(Where.ANSWER in rule.where for rule in chosen),
        )

    def scan(self, text: str, *, untrusted: bool = False) -> tuple[Finding, ...]:
        """All findings in a text. Texts seen before (agents resend their whole history) cost one hash.

        A marker or mask of ours is no finding, though the name of a detector may hold the very word that it looks for.
        `untrusted` asks the injection model too, where the policy has a use for it: not for what the operator wrote.
        """
        if not untrusted or self.scorer is None:
            return self._cached(text, self._known, self._find)
        return self._cached(text, self._known_untrusted, self._find_untrusted)

    def _scan_untrusted(self, text: str) -> tuple[Finding, ...]:
        return self.scan(text, untrusted=True)

    def private(self, text: str) -> tuple[Finding, ...]:
        """What of a text no stranger is told: everything our rules take for a credential or for personal data,
        whatever the policy makes of it. Only for policies with checks, or that keep the arguments of tool calls."""
        assert self._private is not None
        return self._cached(text, self._known_private, self._find_private)

    def _cached(self, text: str, cache: VerdictCache, find: Find) -> tuple[Finding, ...]:
        if len(text) < CACHED_TEXT:
            return find(text)
        key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        known = cache.get(key)
        if known is None:
            known = find(text)
            cache.put(key, known)
        return known

    def _find(self, text: str) -> tuple[Finding, ...]:
        found = self.scanner.scan(text)
        return self._without_ours(text, self._with_documents(text, found) if self._documents else found)

    def _find_private(self, text: str) -> tuple[Finding, ...]:
        assert self._private is not None
        return self._without_ours(text, self._private.scan(text))

    def _find_untrusted(self, text: str) -> tuple[Finding, ...]:
        assert self.scorer is not None
        found = self.scan(text)
        suspected = self.scorer.findings(text)
        return joined([*found, *suspected], self._rank) if suspected else found

    def _without_ours(self, text: str, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """`found` without what stands in our own markers, masks and stand-ins."""
        if found and self.pseudonymizes:
            found = tuple(each for each in found if each.rule != ALIAS_RULE.id)
        if found and STAR in text:
            found = tuple(each for each in found if not is_masked(text[each.start : each.end]))
        if found and MARKER in text:
            found = tuple(each for each in found if not self._in_marker(text, each))
        return found

    def _with_documents(self, text: str, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """`found` and what the text holds of the documents of the policy."""
        recognised = [
            Finding(
                start=region.start,
                end=region.end,
                family=Family.CUSTOM,
                type=name,
                rule=name,
                score=region.score,
            )
            for name, index in self._documents.items()
            for region in index.regions(text)
        ]
        if not recognised:
            return found
        return joined([*found, *recognised], self._rank)

    def _rank(self, finding: Finding) -> int:
        return self._ranks[finding.rule]

    def _in_marker(self, text: str, finding: Finding) -> bool:
        opening = text.rfind(MARKER, 0, finding.start + len(MARKER))
        closing = text.find("]", opening)
        return (
            opening >= 0
            and finding.end <= closing + 1
            and text[opening + len(MARKER) : closing] in self.kinds
        )


def where_of(role: Role) -> Where:
    """The part of a request that a role belongs to."""
    return Where.TOOL_RESULT if role is Role.TOOL_RESULT else Where.PROMPT


def where_found(family: Family, role: Role, where: Where) -> Where:
    """The part of an exchange to which a finding belongs. Instructions to the model that stand in a file count as those
    in a tool's result: whoever attached it need not have written it."""
    return Where.TOOL_RESULT if role is Role.FILE and family is Family.INJECTION else where


def scanned(family: Family, role: Role) -> bool:
    """Instructions are what a system prompt is made of: injection detectors never judge it."""
    return not (family is Family.INJECTION and role is Role.SYSTEM)


def on_error(scope: Scope) -> Fallback:
    """What to do when the inspection itself fails: the strictest of the guardrails that apply or, where the model is
    not known yet, may apply. One on trial has no say."""
    policy = scope.rules.policy
    blocks = any(
        policy.fallback(guardrail) is Fallback.BLOCK
        for guardrail in policy.guardrails
        if not guardrail.shadow and _may_apply(guardrail, scope)
    )
    return Fallback.BLOCK if blocks else Fallback.ALLOW


def _may_apply(guardrail: Guardrail, scope: Scope) -> bool:
    if guardrail in scope.guardrails:
        return True
    for_some_model = bool(guardrail.models) and not scope.subject.model
    return for_some_model and mismatch(guardrail.model_copy(update={"models": ()}), scope.subject) is None
