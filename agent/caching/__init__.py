"""Answers that were given before: exact and semantic cache of the gateway.

`cache.AnswerCache` is what the gateway talks to, `building.make_cache` makes it. The questions' names are made in
`canonical`, compared by meaning in `prompts`, `vectors` and `particulars`; `admission` says what is never kept.
"""

from agent.caching.building import make_cache
from agent.caching.cache import AnswerCache
from agent.caching.control import HEADERS, BadControl, Control, read_control
from agent.caching.entry import Entry, Form
from agent.caching.ports import Embedder, Record, Store, StoreStats
from agent.caching.question import VARIANTS, Answer, Asker, Bypass, Found, Hit, Miss, Question

__all__ = [
    "HEADERS",
    "VARIANTS",
    "Answer",
    "AnswerCache",
    "Asker",
    "BadControl",
    "Bypass",
    "Control",
    "Embedder",
    "Entry",
    "Form",
    "Found",
    "Hit",
    "Miss",
    "Question",
    "Record",
    "Store",
    "StoreStats",
    "make_cache",
    "read_control",
]
