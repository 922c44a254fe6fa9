"""`drawbridge demo`: the whole way of a request, with nothing but this machine.

Every step is a real exchange and is checked, on the client's side and on the provider's; nothing here is staged but
the provider, which repeats what it is told.
"""

from agent.cli.demo.command import demo

__all__ = ["demo"]
