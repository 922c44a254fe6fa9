"""How many clients a listening socket keeps for us while we are busy.

A client beyond that is not refused: its greeting is dropped, and it comes again a second later, then three, then seven,
or is cut off after it was told that it is connected. Whoever takes a socket that listens already says the number again:
`listen` is called once more then, and asyncio's own number is 100.
"""

BACKLOG = 1024
"""The kernel's own limit may be lower (`net.core.somaxconn`, 4096 on Linux; 128 on macOS)."""
