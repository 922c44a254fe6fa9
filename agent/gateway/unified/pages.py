"""What the gateway's own API answers by itself: the models somebody may use, and what their key has used and has."""

from __future__ import annotations

import time

import orjson

from agent.accounts.accounts import Accounts
from agent.accounts.quota import QuotaReport
from agent.dialects.faults import Fault
from agent.errors import DrawbridgeError
from agent.gateway import headers
from agent.gateway.accounting import Account
from agent.gateway.models_list import (
    anthropic_list,
    anthropic_model,
    gemini_list,
    gemini_model,
    listed_models,
    one_model,
    openai_list,
    openai_model,
)
from agent.gateway.routing import QUOTA, Refused, model_of_page
from agent.gateway.transport.base import Headers
from agent.gateway.unified.routebook import RouteBook
from agent.routing.names import ModelRef


async def page(path: str, fields: Headers, *, book: RouteBook, account: Account, accounts: Accounts) -> bytes:
    """The JSON document at `path`, for which `routing.is_page` holds. Raises Refused."""
    if path in QUOTA:
        return await _quota(account, accounts)
    return _models(path, fields, book, account)


def _models(path: str, fields: Headers, book: RouteBook, account: Account) -> bytes:
    """In the shape of the API whose client asks: Anthropic's shows its version, Gemini's asks under `v1beta`."""

    def allows(ref: ModelRef) -> bool:
        return account.may_use(ref.provider, ref.model, ref.name) is None

    claude, gemini = bool(headers.get(fields, b"anthropic-version")), path.startswith("/v1beta/")
    if name := model_of_page(path):
        model = one_model(name, book.names, book.names.aliases, book.prices, allows=allows)
        if model is None:
            raise Refused(
                404, "there is no such model for you; GET /v1/models lists those there are", fault=Fault.MODEL
            )
        shape = anthropic_model if claude else gemini_model if gemini else openai_model
        return orjson.dumps(shape(model))
    models = listed_models(book.names, book.providers, book.names.aliases, book.prices, allows=allows)
    if claude:
        return anthropic_list(models)
    return gemini_list(models) if gemini else openai_list(models)


async def _quota(account: Account, accounts: Accounts) -> bytes:
    key = account.principal.key_id
    if not key:
        raise Refused(401, "show the virtual key whose quota you want to read")
    try:
        report: QuotaReport | None = await accounts.quota(key, time.time())
    except DrawbridgeError as error:
        raise Refused(503, f"{error} {error.hint()}".strip()) from error
    if report is None:
        raise Refused(404, "this virtual key is no longer known")
    return orjson.dumps(report.document())
