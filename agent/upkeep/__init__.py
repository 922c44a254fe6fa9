"""What a running agent keeps true: what signs, the state directory, the way out, what stands in for it, its settings.

Each keeper is given what it needs and composed by `agent/daemon.py`; none knows another.
"""
