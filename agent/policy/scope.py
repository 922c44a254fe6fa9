"""Whether a rule applies to an exchange. Values in, an answer out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.model.app import UNKNOWN_ASKER, Asker, Evidence
from agent.model.content import Attachment, Where
from agent.model.decision import Action
from agent.model.direct import changed, direct
from agent.model.identity import NO_IDENTITY, Identity
from agent.model.login import NO_LOGIN, Login
from agent.policy.apps import AppRule, State
from agent.policy.conditions import MAX_LISTED, Condition, ConditionFailed, Value
from agent.policy.document import AccessRule
from agent.policy.glob import first_match
from agent.policy.guardrail import Guardrail
from agent.policy.section import Audience, Scope


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a request is bound for: to the provider that the client meant (native), to the central gateway (central),
    or, from the local base URL, to a provider that the policy names (provider)."""

    kind: str = "native"
    host: str = ""


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who asks for what. Empty where unknown: only a rule without that key, or with the glob `*`, fits then.

    `path` is without query and in the one spelling the catalog compares: percent-decoded, dots resolved. `size` is
    in characters, of all texts of the request, or in bytes where it could not be read. `hour` (0 to 23) and `weekday`
    (1 is Monday, ISO 8601) are this machine's, of the moment the request came. `app` is the asker's; `asker` says how
    that is known, `login` with which account it asks. `kind` is the surface's, `inference` whether a model is asked,
    `device` this machine's id, `state` what `apps` says of the program. `user` is the account of this machine,
    `identity` as whom it has signed in with the company's identity provider.
    """

    host: str
    path: str = ""
    surface: str = "unknown"
    app: str = ""
    model: str = ""
    user: str = ""
    groups: tuple[str, ...] = ()
    size: int = 0
    attachments: tuple[Attachment, ...] = ()
    destination: Destination = Destination()
    device_os: str = ""
    hour: int = 0
    weekday: int = 1
    login: Login = NO_LOGIN
    kind: str = ""
    inference: bool = True
    device: str = ""
    state: str = "approved"
    asker: Asker = UNKNOWN_ASKER
    identity: Identity = NO_IDENTITY

    @property
    def names(self) -> tuple[str, ...]:
        """What rules may call the person: the account, and the name of the sign-in."""
        return (self.user, self.identity.name) if self.identity.known else (self.user,)

    def about(self, model: str, *, size: int, attachments: tuple[Attachment, ...]) -> Subject:
        """The subject, now that the request is known."""
        return changed(self, model=model, size=size, attachments=attachments)


def misfit(scope: Audience, subject: Subject) -> str | None:
    """The first key of `scope` that does not fit who asks whom, or None where all do. Conditions are not asked."""
    if scope.surfaces and subject.surface not in scope.surfaces:
        return "surfaces"
    if scope.hosts and first_match(scope.hosts, subject.host) is None:
        return "hosts"
    if scope.apps and not _is_one_of(scope, subject):
        return "apps"
    if scope.users and all(first_match(scope.users, name) is None for name in subject.names):
        return "users"
    return None


def mismatch(scope: Scope, subject: Subject) -> str | None:
    """The first key of `scope` that does not fit `subject`, or None where all do. Conditions are not asked."""
    if (key := misfit(scope, subject)) is not None:
        return key
    if scope.models and first_match(scope.models, subject.model) is None:
        return "models"
    if isinstance(scope, AccessRule) and scope.paths and first_match(scope.paths, subject.path) is None:
        return "paths"
    return None


def _is_one_of(scope: Audience, subject: Subject) -> bool:
    """Whether a rule's apps hold for the one that asks. One that only says so itself gets nothing allowed by it."""
    found = first_match(scope.apps, subject.app)
    if found is None or found == "*":
        return found is not None
    asker = subject.asker
    if asker.vouched or asker.evidence is Evidence.NONE:
        return True
    match scope:
        case AppRule():  # one that names the evidence knows what it takes
            return scope.state is not State.APPROVED or bool(scope.evidence)
        case AccessRule() | Guardrail():
            return scope.action is not Action.ALLOW
        case _:
            return True


def met(condition: Condition | None, subject: Subject, *, failed: bool) -> bool:
    """Whether the condition of a rule lets it apply; where it cannot be evaluated, what `failed` says. Whoever asks
    errs on the strict side."""
    if condition is None:
        return True
    try:
        return condition.holds(facts(subject))
    except ConditionFailed:
        return failed


def facts(subject: Subject, where: Where = Where.PROMPT) -> Mapping[str, Value]:
    """What a condition can ask about an exchange, for one part of it."""
    return {
        "app": subject.app,
        "user": subject.user,
        "groups": list(subject.groups[:MAX_LISTED]),
        "model": subject.model,
        "host": subject.host,
        "surface": subject.surface,
        "kind": subject.kind,
        "state": subject.state,
        "path": subject.path,
        "direction": where.value,
        "size": subject.size,
        "attachments": [_file_facts(each) for each in subject.attachments[:MAX_LISTED]],
        "destination": {"kind": subject.destination.kind, "host": subject.destination.host},
        "device": {"os": subject.device_os},
        "hour": subject.hour,
        "weekday": subject.weekday,
        "app_evidence": subject.asker.evidence.value,
        "app_claimed": subject.asker.claimed,
        "within": list(subject.asker.within[:MAX_LISTED]),
        "identity": {
            "signed_in": subject.identity.known,
            "subject": subject.identity.subject,
            "name": subject.identity.name,
        },
        "login": {
            "kind": subject.login.kind.value,
            "plan": subject.login.plan,
            "tenancy": subject.login.tenancy.value,
            "organisation": subject.login.organisation,
            "domain": subject.login.domain,
            "key_type": subject.login.key_type,
        },
    }


def _file_facts(attachment: Attachment) -> dict[str, Value]:
    """What a condition can ask about a file; -1 where a number is not known."""
    return {
        "kind": attachment.kind,
        "media_type": attachment.media_type,
        "size": _known(attachment.size),
        "name": attachment.name,
        "type": attachment.type,
        "readable": attachment.readable is True,
        "characters": _known(attachment.characters),
        "pages": _known(attachment.pages),
        "findings": sum(count for _, count in attachment.findings),
    }


def _known(number: int | None) -> int:
    return -1 if number is None else number
