"""The icon in the panel of a person's desktop, its menu, and the notifications: what the agent does, told to whom it
concerns.

Talks to the agent only through the control API, as every command does. Nothing depends on it: without a panel the
command line and the dashboard say the same.
"""
