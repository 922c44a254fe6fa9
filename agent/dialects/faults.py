"""What an error is about, for formats whose errors say more than their HTTP status."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, runtime_checkable

from agent.dialects.base import Block, Voice


class Fault(StrEnum):
    """What an error is about, where its status leaves that open."""

    UNSAID = ""
    MODEL = "model"  # there is no such model, or not for whoever asks
    LENGTH = "length"  # the request is longer than the model reads


@runtime_checkable
class FaultVoice(Protocol):
    """A voice whose errors name what they are about."""

    def error_about(self, fault: Fault, status: int, message: str) -> Block:
        """The error in the dialect's own shape; see `Voice.error`."""
        ...


def error_about(voice: Voice, fault: Fault, status: int, message: str) -> Block:
    """An error, about `fault` where `voice` can say so."""
    if isinstance(voice, FaultVoice):
        return voice.error_about(fault, status, message)
    return voice.error(status, message)
