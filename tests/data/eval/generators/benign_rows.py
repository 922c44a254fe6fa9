"""Everyday work: coding questions in several languages, code, diffs, logs and test output, up to some 20 KB.

Nothing in it is a credential, a person's data or an attack, so whatever is found is a false alarm.
"""

# ruff: noqa: E501  a template is one line

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator

from tests.data.eval.generators.marking import Row, fill, row, uuid

_NOUNS = (
    "order", "invoice", "session", "cache", "token", "payload", "worker", "queue", "metric", "segment", "cursor", "user",
    "route", "chunk", "layer", "key", "secret", "account", "widget", "buffer", "cluster", "record", "index", "lease",
)  # fmt: skip
_VERBS = [
    "load",
    "save",
    "parse",
    "merge",
    "rotate",
    "fetch",
    "validate",
    "render",
    "flush",
    "sort",
    "group",
    "retry",
    "encode",
    "split",
    "resolve",
    "publish",
]
_TASKS = """
Write a {language} function that can {verb} a {noun} and returns None when it is missing.
Why does this {language} code leak memory when I {verb} the {noun}?
Refactor the {noun} module so that it no longer depends on the {other} module.
How do I mock the {noun} client in {language} tests without patching globals?
Add pagination to the endpoint that lists every {noun}; keep the old parameters working.
My CI fails with exit code 137 when it tries to {verb} the {noun}. What should I check first?
Explain the difference between a {noun} and a {other} in event-driven systems.
Convert this {language} snippet to async and keep the public API of {noun} stable.
What is the idiomatic way to {verb} a {noun} in {language}?
Write the SQL to {verb} all rows of {noun} joined with {other}, newest first.
Please review: does the new {noun} cache have a race when two workers {verb} at once?
Draft a commit message: the {noun} now retries three times before it gives up.
Schreibe eine {language}-Funktion, die ein {noun}-Objekt einliest und Fehler verständlich meldet.
Warum ist mein Test für {noun} nur manchmal grün? Ich verwende {language} und eine Warteschlange.
Écris un test unitaire en {language} pour la classe {noun} et explique chaque assertion.
¿Cómo puedo depurar un bloqueo cuando dos procesos usan el mismo {noun}?
Come posso migliorare le prestazioni della query su {noun} senza cambiare lo schema?
Explique como fazer o deploy do serviço {noun} sem interrupção.
Napisz funkcję w {language}, która zwraca {noun} albo pustą listę.
{language} で {noun} を並べ替える関数を書いてください。テストもお願いします。
用 {language} 写一个函数，解析 {noun} 并返回错误列表。
Напиши на {language} функцию, которая объединяет два списка {noun} без дубликатов.
"""
_LONGEST = 20_000  # characters
_LANGUAGES = (
    "Python",
    "TypeScript",
    "Go",
    "Rust",
    "Java",
    "C#",
    "Ruby",
    "Kotlin",
    "Swift",
    "PHP",
    "C++",
    "Bash",
)


def rows(draw: random.Random) -> Iterator[Row]:
    """About 500 rows; every sixth is long."""
    for task in _TASKS.strip().splitlines():
        for _ in range(8):
            yield _benign(_asked(draw, task), "question")
    for context, make in _KINDS.items():
        for _ in range(26):
            yield _benign(make(draw, draw.randint(1, 4)), context)
        for _ in range(6):
            yield _benign(f"{_question(draw)}\n\n{make(draw, draw.randint(16, 60))}", f"{context}, long")
    for _ in range(30):
        yield _benign(_turn(draw), "agent turn")
    for _ in range(12):
        yield _benign("\n\n".join(_turn(draw) for _ in range(draw.randint(4, 8))), "agent turn, long")


def _benign(text: str, context: str) -> Row:
    if len(text) > _LONGEST:
        text = text[: text.rindex("\n", 0, _LONGEST)]
    return row(text, family="", context=context, source="own", kind="benign")


def _asked(draw: random.Random, task: str) -> str:
    noun, other = draw.sample(_NOUNS, 2)
    return task.format(language=draw.choice(_LANGUAGES), verb=draw.choice(_VERBS), noun=noun, other=other)


def _question(draw: random.Random) -> str:
    return _asked(draw, draw.choice(_TASKS.strip().splitlines()))


def _python(draw: random.Random, size: int) -> str:
    parts = ["from __future__ import annotations\n\nimport logging\nfrom dataclasses import dataclass\n"]
    for _ in range(size):
        noun, other = draw.sample(_NOUNS, 2)
        verb = draw.choice(_VERBS)
        parts.append(
            f"\n@dataclass(frozen=True)\nclass {noun.capitalize()}{other.capitalize()}:\n    {noun}_id: int\n"
            f'    {other}: str = ""\n    max_{other}s: int = {draw.randint(2, 4096)}\n\n\n'
            f"def {verb}_{noun}({other}: {other.capitalize()}, *, timeout: float = {draw.randint(1, 60)}.0) -> list[str]:\n"
            f'    """{verb.capitalize()} every {noun} of the {other}."""\n'
            f"    password_hash = {other}.password_hash  # never the {noun} itself\n"
            f"    {noun}s = [{noun} for {noun} in {other}.{noun}s if {noun}.ready]\n"
            f'    if not {noun}s:\n        raise LookupError(f"no {noun} for {{{other}.id}}")\n'
            f"    return sorted({noun}.name for {noun} in {noun}s)\n"
        )
    return "".join(parts)


def _typescript(draw: random.Random, size: int) -> str:
    parts = ["import { z } from 'zod';\nimport type { Request } from 'express';\n"]
    for _ in range(size):
        noun, other = draw.sample(_NOUNS, 2)
        verb = draw.choice(_VERBS)
        parts.append(
            f"\nexport const {noun}Schema = z.object({{ id: z.string().uuid(), {other}: z.string().email().optional() }});\n"
            f"\nexport async function {verb}{noun.capitalize()}(req: Request, {other}Id: string): Promise<void> {{\n"
            f"  const accessToken = await this.auth.getAccessToken(req);\n"
            f"  const {noun} = await fetch(`${{BASE_URL}}/{noun}s/${{{other}Id}}?page={draw.randint(1, 9)}`, {{\n"
            f"    headers: {{ Authorization: `Bearer ${{accessToken}}` }},\n  }});\n"
            f"  if (!{noun}.ok) throw new Error(`{verb} failed: ${{{noun}.status}}`);\n}}\n"
        )
    return "".join(parts)


def _go(draw: random.Random, size: int) -> str:
    parts = ['package main\n\nimport (\n\t"context"\n\t"fmt"\n)\n']
    for _ in range(size):
        noun, other = draw.sample(_NOUNS, 2)
        verb = draw.choice(_VERBS).capitalize()
        parts.append(
            f"\ntype {noun.capitalize()}{other.capitalize()} struct {{\n\tID   int64  `json:\"id\"`\n\tName string `json:\"name\"`\n}}\n"
            f"\nfunc (s *Store) {verb}{noun.capitalize()}(ctx context.Context, {other} string) error {{\n"
            f"\trows, err := s.db.QueryContext(ctx, \"SELECT id FROM {noun}s WHERE {other} = $1 LIMIT {draw.randint(10, 900)}\", {other})\n"
            f"\tif err != nil {{\n\t\treturn fmt.Errorf(\"{verb.lower()} {noun}: %w\", err)\n\t}}\n\tdefer rows.Close()\n\treturn rows.Err()\n}}\n"
        )  # fmt: skip
    return "".join(parts)


def _diff(draw: random.Random, size: int) -> str:
    parts = []
    for _ in range(size):
        noun, other = draw.sample(_NOUNS, 2)
        line = draw.randint(10, 400)
        parts.append(
            f"diff --git a/src/{noun}.py b/src/{noun}.py\nindex {fill(draw, '{hex:7}')}..{fill(draw, '{hex:7}')} 100644\n"
            f"--- a/src/{noun}.py\n+++ b/src/{noun}.py\n@@ -{line},6 +{line},7 @@ class {noun.capitalize()}:\n"
            f"     def {other}(self) -> str:\n-        return self._{other}\n+        if self._{other} is None:\n"
            f'+            raise ValueError("{other} is not set")\n+        return self._{other}\n \n'
        )
    return "".join(parts)


def _log(draw: random.Random, size: int) -> str:
    levels = ("INFO", "DEBUG", "WARN", "ERROR")
    return "".join(
        f"2026-0{draw.randint(1, 9)}-1{draw.randint(0, 9)}T1{draw.randint(0, 9)}:{draw.randint(10, 59)}:{draw.randint(10, 59)}.{fill(draw, '{d:3}')}Z"
        f" {draw.choice(levels):5} [{draw.choice(_NOUNS)}-{draw.randint(1, 64)}] request={uuid(draw)} "
        f"{draw.choice(_VERBS)} {draw.choice(_NOUNS)} took {draw.randint(1, 9000)}ms status={draw.choice([200, 201, 204, 404, 500])} "
        f"bytes={draw.randint(100, 10**7)} from 10.{draw.randint(0, 255)}.{draw.randint(0, 255)}.{draw.randint(1, 254)}\n"
        for _ in range(size * 5)
    )  # fmt: skip


def _tests(draw: random.Random, size: int) -> str:
    lines = [
        f"tests/test_{draw.choice(_NOUNS)}.py::test_{draw.choice(_VERBS)}_{draw.choice(_NOUNS)} {draw.choice(['PASSED'] * 6 + ['FAILED'])} [{place:3}%]"
        for place in range(size * 6)
    ]  # fmt: skip
    trace = (
        f'Traceback (most recent call last):\n  File "/app/src/{draw.choice(_NOUNS)}.py", line {draw.randint(9, 400)}, in {draw.choice(_VERBS)}\n'
        f"    raise KeyError({draw.choice(_NOUNS)!r})\nKeyError: {draw.choice(_NOUNS)!r}\n"
    )  # fmt: skip
    return "============ test session starts ============\n" + "\n".join(lines) + "\n" + trace


def _json(draw: random.Random, size: int) -> str:
    return json.dumps(
        [
            {
                "id": uuid(draw), draw.choice(_NOUNS): draw.choice(_VERBS), "count": draw.randint(0, 10**6),
                "price": round(draw.uniform(1, 999), 2), "createdAt": f"2026-03-{draw.randint(10, 28)}T10:00:00Z",
                "etag": fill(draw, "{hex:32}"), "tags": draw.sample(_NOUNS, 3), "version": f"{draw.randint(0, 9)}.{draw.randint(0, 30)}.{draw.randint(0, 9)}",
            }
            for _ in range(size * 3)
        ],
        indent=2,
    )  # fmt: skip


def _lock(draw: random.Random, size: int) -> str:
    return "".join(
        f'    "node_modules/{draw.choice(_NOUNS)}-{draw.choice(_VERBS)}": {{\n      "version": "{draw.randint(0, 9)}.{draw.randint(0, 30)}.{draw.randint(0, 9)}",\n'
        f'      "integrity": "sha512-{fill(draw, "{b64:86}")}==",\n      "engines": {{ "node": ">=18" }}\n    }},\n'
        for _ in range(size * 3)
    )  # fmt: skip


def _sql(draw: random.Random, size: int) -> str:
    parts = []
    for _ in range(size):
        noun, other = draw.sample(_NOUNS, 2)
        parts.append(
            f"CREATE TABLE {noun}_{other} (\n  id BIGSERIAL PRIMARY KEY,\n  {noun}_id UUID NOT NULL,\n  password_hash TEXT NOT NULL,\n"
            f"  phone VARCHAR(20),\n  created_at TIMESTAMPTZ DEFAULT now()\n);\n"
            f"SELECT count(*) FROM {noun}_{other} WHERE created_at > now() - interval '{draw.randint(1, 90)} days';\n\n"
        )
    return "".join(parts)


def _terminal(draw: random.Random, size: int) -> str:
    return "".join(
        draw.choice(
            [
                lambda: f"-rw-r--r-- 1 dev staff {draw.randint(100, 99999):6} Mar {draw.randint(10, 28)} 10:1{draw.randint(0, 9)} {draw.choice(_NOUNS)}_{draw.choice(_VERBS)}.py\n",
                lambda: f"{fill(draw, '{hex:12}')}   acme/{draw.choice(_NOUNS)}:1.{draw.randint(0, 40)}.{draw.randint(0, 9)}   Up {draw.randint(2, 50)} hours   0.0.0.0:{draw.randint(3000, 9000)}->80/tcp\n",
                lambda: f"{fill(draw, '{hex:7}')} {draw.choice(_VERBS)} the {draw.choice(_NOUNS)} before the {draw.choice(_NOUNS)} (#{draw.randint(10, 9999)})\n",
                lambda: f"src/{draw.choice(_NOUNS)}.ts:{draw.randint(1, 500)}:{draw.randint(1, 80)} - error TS2345: Argument of type 'string' is not assignable.\n",
            ]
        )()
        for _ in range(size * 5)
    )  # fmt: skip


def _yaml(draw: random.Random, size: int) -> str:
    return "".join(
        f"---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {draw.choice(_NOUNS)}-{draw.choice(_VERBS)}\nspec:\n  replicas: {draw.randint(1, 9)}\n"
        f"  template:\n    spec:\n      containers:\n        - name: api\n          image: registry.corp.net/{draw.choice(_NOUNS)}@sha256:{fill(draw, '{hex:64}')}\n"
        "          env:\n            - name: API_KEY\n              valueFrom:\n                secretKeyRef: {name: api-credentials, key: apiKey}\n"
        for _ in range(size)
    )  # fmt: skip


_KINDS: dict[str, Callable[[random.Random, int], str]] = {
    "python": _python, "typescript": _typescript, "go": _go, "diff": _diff, "log": _log, "test output": _tests,
    "json": _json, "lock file": _lock, "sql": _sql, "terminal": _terminal, "yaml": _yaml,
}  # fmt: skip


def _turn(draw: random.Random) -> str:
    noun, other = draw.sample(_NOUNS, 2)
    code = _python(draw, draw.randint(1, 3))
    numbered = "\n".join(f"{number:6}\t{line}" for number, line in enumerate(code.splitlines(), start=1))
    return (
        f"I'll look at how the {noun} is handled before changing the {other}.\n\n[tool: read_file src/{noun}.py]\n{numbered}\n\n"
        f"The {noun} is sorted too late. I will move the check up, then run the tests.\n\n[tool: bash pytest -q tests/test_{noun}.py]\n"
        f"{_tests(draw, 1)}\n2 failed, {draw.randint(10, 200)} passed in {draw.uniform(0.2, 30):.2f}s"
    )
