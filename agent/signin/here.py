"""The person who runs this process, put together: for the command line, the tray and the doctor. Blocks."""

from __future__ import annotations

import os

from agent.gateway.services import towards_services
from agent.host.earlier import read_earlier
from agent.host.paths import setup_paths, sign_in_directory
from agent.host.settings import Settings
from agent.host.upstream import settled
from agent.signin.person import Agent, Person
from agent.signin.token_store import TokenStore, system_backend
from agent.signin.web import HttpxWeb


def web_of(settings: Settings) -> HttpxWeb:
    """How the identity provider is reached by these settings. Raises ConfigError."""
    earlier = read_earlier(setup_paths().earlier)
    return HttpxWeb(towards_services(settled(settings, os.environ, earlier)))


def store_of_person() -> TokenStore:
    """Where this person's programs keep what renews a sign-in."""
    return TokenStore(sign_in_directory(), system_backend())


def person_of(agent: Agent, settings: Settings) -> Person:
    """Raises ConfigError."""
    return Person(agent, web_of(settings), store_of_person())
