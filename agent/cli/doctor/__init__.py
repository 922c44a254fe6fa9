"""`drawbridge doctor`: what is wrong with this machine's Drawbridge, and how to mend it.

Checks are rows (`checks`), what was seen are values (`facts`), `judging` makes results of them and does nothing else;
`condition`, `surroundings` and `network` look. Works with and without a running agent, and changes nothing.
"""

from agent.cli.doctor.command import doctor

__all__ = ["doctor"]
