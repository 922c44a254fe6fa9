"""What a request to a provider shows: keys behind references, signatures for AWS, tokens of Google.

Secrets are read off the event loop, kept for minutes in memory, and never shown: no error here holds one.
"""

from agent.credentials.calls import Credentials, OutgoingCall, call_for
from agent.credentials.kept import SecretCache

__all__ = ["Credentials", "OutgoingCall", "SecretCache", "call_for"]
