"""`drawbridge self-test`: whether an installed program is whole and works on this machine.

Everything is really done, on loopback and in a directory that is thrown away; nothing of the machine is changed.
"""

from agent.cli.self_test.command import self_test

__all__ = ["self_test"]
