"""The history of usage in PostgreSQL. One table, one row for a key, a day and a model, added to by upsert.

A connection that breaks at the commit leaves open whether a batch is in: each writer has a row with the number of its
last batch, written in the same transaction, so that a batch that comes twice counts once.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from agent.accounts.store import Use
from agent.errors import ConfigError, UpstreamError
from agent.policy.history import DatabaseTls, History

log = logging.getLogger(__name__)

_SECONDS = 5  # to connect, and for a statement
_LOCK = 0x6472_6177_6272_6467  # `drawbrdg`: whoever changes the schema holds it
_EPOCH = date(1970, 1, 1)
_WRITER_DAYS = 30

SCHEMA: tuple[str, ...] = (
    """CREATE TABLE drawbridge_usage (
        key text NOT NULL, day date NOT NULL, model text NOT NULL,
        requests bigint NOT NULL, input_tokens bigint NOT NULL, output_tokens bigint NOT NULL,
        nano_usd bigint NOT NULL, unpriced bigint NOT NULL,
        PRIMARY KEY (key, day, model))""",
    """CREATE TABLE drawbridge_writer (
        id uuid PRIMARY KEY, batch bigint NOT NULL, at timestamptz NOT NULL DEFAULT now())""",
)
"""The steps by which the schema grew: new ones stand at the end, none is ever changed."""

_VERSION = "CREATE TABLE IF NOT EXISTS drawbridge_schema (version integer NOT NULL)"
_CLAIM = """INSERT INTO drawbridge_writer AS known (id, batch) VALUES (%s, %s)
    ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, at = now() WHERE known.batch < excluded.batch
    RETURNING batch"""
_ADD = """INSERT INTO drawbridge_usage AS known VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (key, day, model) DO UPDATE SET
        requests = known.requests + excluded.requests,
        input_tokens = known.input_tokens + excluded.input_tokens,
        output_tokens = known.output_tokens + excluded.output_tokens,
        nano_usd = known.nano_usd + excluded.nano_usd,
        unpriced = known.unpriced + excluded.unpriced"""
_READ = """SELECT key, day, model, requests, input_tokens, output_tokens, nano_usd, unpriced
    FROM drawbridge_usage WHERE key = %s AND day >= %s ORDER BY day, model"""

type Connect = Callable[[], Any]
"""Makes a connection as psycopg's are. Raises what psycopg raises."""


class PostgresUsage:
    """See `UsageDatabase`. Connects when it is first needed, and again after a failure."""

    def __init__(self, connect: Connect, failures: type[Exception] = Exception) -> None:
        """`failures` is what `connect` and its connections raise."""
        self._connect = connect
        self._failures = failures
        self._connection: Any = None
        self._writer = uuid.uuid4()
        self._lock = threading.Lock()  # who was given up may still be at work

    def write(self, number: int, uses: Sequence[Use]) -> None:
        """See `UsageDatabase`."""
        # in one order everywhere: writers that meet at two rows must not wait for each other
        rows = [(use.key, _date(use.day), *use[2:]) for use in sorted(uses)]

        def add(connection: Any) -> None:
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute(_CLAIM, (self._writer, number))
                if cursor.fetchone() is not None:
                    cursor.executemany(_ADD, rows)

        self._with_connection(add)

    def read(self, key: str, since_day: int) -> Sequence[Use]:
        """See `UsageDatabase`."""

        def ask(connection: Any) -> list[Use]:
            with connection.cursor() as cursor:
                cursor.execute(_READ, (key, _date(since_day)))
                return [Use(row[0], (row[1] - _EPOCH).days, *row[2:]) for row in cursor.fetchall()]

        return self._with_connection(ask)

    def close(self) -> None:
        """See `UsageDatabase`."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(self._failures):
                connection.close()

    def _with_connection[Result](self, work: Callable[[Any], Result]) -> Result:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                    migrate(self._connection)
                return work(self._connection)
            except self._failures as error:
                self._drop()
                # the error's own text may hold values
                raise UpstreamError(
                    f"the history's database cannot be used ({type(error).__name__})",
                    hint="See the database's log; traffic goes on without it.",
                ) from error


def migrate(connection: Any) -> None:
    """Bring the schema up to date; of several who start together one does it, the others wait."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        cursor.execute(_VERSION)
        cursor.execute("SELECT max(version) FROM drawbridge_schema")
        known = cursor.fetchone()[0] or 0
        for number, step in enumerate(SCHEMA[known:], start=known + 1):
            cursor.execute(step)
            cursor.execute("INSERT INTO drawbridge_schema VALUES (%s)", (number,))
            log.info("the history's schema has version %d now", number)
        cursor.execute("DELETE FROM drawbridge_writer WHERE at < now() - %s", (timedelta(days=_WRITER_DAYS),))


def postgres_usage(section: History, secret: Callable[[str], str]) -> PostgresUsage:
    """The database of a policy. Does not connect yet, but reads its password: blocks. Raises ConfigError."""
    try:
        import psycopg
    except ImportError as error:
        raise ConfigError(
            "accounts.history needs a PostgreSQL driver, which is not installed",
            hint="Install Drawbridge with the extra 'central': drawbridge-agent[central].",
        ) from error
    off = section.tls is DatabaseTls.OFF
    password = secret(section.password) if section.password is not None else None

    def connect() -> Any:
        return psycopg.connect(
            section.url,
            password=password,
            autocommit=True,
            connect_timeout=_SECONDS,
            application_name="drawbridge",
            options=f"-c statement_timeout={_SECONDS * 1000} -c lock_timeout={_SECONDS * 1000}",
            sslmode="disable" if off else "verify-full",
            sslrootcert=None if off else section.ca_file or "system",
        )

    return PostgresUsage(connect, psycopg.Error)


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)
