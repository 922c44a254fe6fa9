"""Drawbridge: the gate between the AI tools on a laptop and the models they talk to.

The rooms, top to bottom (imports point down only, see ARCHITECTURE.md):
`daemon`, `cli` compose; `interception` is the door; `gateway`, `audit`, `host` do input and output;
`inspection` is the pure pipeline; `dialects`, `guardrails`, `policy`, `catalog` are its core; `model` holds values.
"""

__version__ = "0.1.0"
