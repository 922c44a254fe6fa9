"""The operating system: paths, settings, secrets, certificates, processes, tasks.

One Protocol per capability; what differs by platform stands in `x_linux`, `x_darwin`, `x_windows` behind it.
"""
