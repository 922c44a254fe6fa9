"""What is said to PostgreSQL, over a connection that is none. The real one: tests/integration/test_history.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest

from agent.accounts.postgres import SCHEMA, PostgresUsage, postgres_usage
from agent.accounts.store import Use
from agent.errors import UpstreamError
from agent.policy.history import History

USE = Use("k", 1, "openai/m", 1, 5, 6, 7, 0)


class Broken(Exception):
    """As the driver raises it."""


class Connection:
    """A connection and its cursor. `answers` are rows by a word of their statement."""

    def __init__(self, **answers: list[tuple[object, ...]]) -> None:
        self.answers = {"max(version)": [(None,)], "RETURNING": [(1,)]} | answers
        self.said: list[str] = []
        self.rows: list[tuple[object, ...]] = []
        self.failing = False
        self.closed = False
        self._found: list[tuple[object, ...]] = []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.said.append("BEGIN")
        yield
        self.said.append("COMMIT")

    @contextmanager
    def cursor(self) -> Iterator[Connection]:
        yield self

    def execute(self, statement: str, values: tuple[object, ...] = ()) -> None:
        del values
        if self.failing:
            raise Broken("with a value in it")
        self.said.append(statement)
        self._found = next((rows for word, rows in self.answers.items() if word in statement), [])

    def executemany(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        self.execute(statement)
        self.rows += rows

    def fetchone(self) -> tuple[object, ...] | None:
        return self._found[0] if self._found else None

    def fetchall(self) -> list[tuple[object, ...]]:
        return self._found

    def close(self) -> None:
        self.closed = True


def test_the_schema_is_made_under_a_lock_once_and_then_left_alone() -> None:
    fresh = Connection()
    PostgresUsage(lambda: fresh, Broken).write(1, [USE])
    assert "pg_advisory_xact_lock" in fresh.said[1]
    assert [each for each in fresh.said if each in SCHEMA] == list(SCHEMA)
    known = Connection(**{"max(version)": [(len(SCHEMA),)]})
    PostgresUsage(lambda: known, Broken).write(1, [USE])
    assert not [each for each in known.said if each in SCHEMA]


def test_a_batch_is_added_in_one_order_and_one_transaction() -> None:
    connection = Connection()
    later = USE._replace(key="z")
    PostgresUsage(lambda: connection, Broken).write(1, [later, USE])
    assert connection.rows == [
        ("k", date(1970, 1, 2), "openai/m", 1, 5, 6, 7, 0),
        ("z", date(1970, 1, 2), "openai/m", 1, 5, 6, 7, 0),
    ]
    assert connection.said[-1] == "COMMIT"


def test_a_batch_that_is_in_already_is_not_added_again() -> None:
    connection = Connection(RETURNING=[])
    PostgresUsage(lambda: connection, Broken).write(1, [USE])
    assert connection.rows == []


def test_a_failure_is_told_without_its_values_and_the_next_try_connects_anew() -> None:
    connections = [Connection(), Connection()]
    waiting = iter(connections)
    database = PostgresUsage(lambda: next(waiting), Broken)
    database.write(1, [USE])
    connections[0].failing = True
    with pytest.raises(UpstreamError, match=r"cannot be used \(Broken\)$"):
        database.write(2, [USE])
    assert connections[0].closed
    database.write(2, [USE])
    assert len(connections[1].rows) == 1
    database.close()
    assert connections[1].closed


def test_rows_come_back_as_they_were() -> None:
    connection = Connection(ORDER=[("k", date(1970, 1, 2), "openai/m", 1, 5, 6, 7, 0)])
    assert PostgresUsage(lambda: connection, Broken).read("k", 0) == [USE]


def test_a_policys_database_is_not_connected_before_it_is_needed() -> None:
    section = History(url="postgresql://user@db.example:5432/usage", password="env:P")
    asked: list[str] = []
    database = postgres_usage(section, lambda reference: asked.append(reference) or "secret")
    assert asked == ["env:P"]
    database.close()
