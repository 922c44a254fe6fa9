"""Usage in a real PostgreSQL: made once however many start together, added up, never twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest

from agent.accounts.postgres import PostgresUsage
from agent.accounts.store import Use
from agent.errors import UpstreamError
from tests.fakes.database import no_postgres, postgres_server

pytestmark = pytest.mark.skipif(bool(no_postgres()), reason=no_postgres() or "there is one")

DAY = 20_000
type Make = Callable[[], PostgresUsage]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The database of the module."""
    with postgres_server() as url:
        yield url


@pytest.fixture
def make(url: str) -> Iterator[Make]:
    """Makes writers, and begins without tables."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS drawbridge_usage, drawbridge_writer, drawbridge_schema")
    made: list[PostgresUsage] = []

    def maker() -> PostgresUsage:
        made.append(PostgresUsage(lambda: psycopg.connect(url, autocommit=True), psycopg.Error))
        return made[-1]

    yield maker
    for each in made:
        each.close()


def use(tokens: int, *, model: str = "openai/m") -> Use:
    return Use("k", DAY, model, 1, tokens, 0, 2**40, 0)


def test_what_several_write_at_once_adds_up(make: Make) -> None:
    writers = [make() for _ in range(6)]

    def work(writer: PostgresUsage) -> None:
        for number in range(1, 11):
            writer.write(number, [use(3), use(4, model="openai/n")])

    threads = [threading.Thread(target=work, args=(writer,)) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert make().read("k", DAY) == [
        Use("k", DAY, "openai/m", 60, 180, 0, 60 * 2**40, 0),
        Use("k", DAY, "openai/n", 60, 240, 0, 60 * 2**40, 0),
    ]


def test_a_batch_that_comes_twice_counts_once(make: Make) -> None:
    writer = make()
    for number in (1, 1, 2, 2, 1):
        writer.write(number, [use(5)])
    assert writer.read("k", DAY) == [Use("k", DAY, "openai/m", 2, 10, 0, 2**41, 0)]


def test_only_the_days_that_are_asked_for_come_back(make: Make) -> None:
    writer = make()
    writer.write(1, [use(5)])
    assert writer.read("k", DAY + 1) == []
    assert writer.read("other", DAY) == []


def test_a_connection_that_broke_is_made_anew(make: Make, url: str) -> None:
    writer = make()
    writer.write(1, [use(5)])
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
    with pytest.raises(UpstreamError):
        writer.write(2, [use(5)])
    writer.write(2, [use(5)])
    assert writer.read("k", DAY)[0].input_tokens == 10
