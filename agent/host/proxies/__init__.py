"""The operating system's proxy settings, one module per system: read, written and read for what stood there before.

Every one is a `SettingDriver` of the journal. What is wanted where is decided in `agent.host.arrangement`.
"""
