"""The central gateway of a team: the agent's gateway without its doors on a laptop, for several processes and machines.

`node` is one process that serves, `crew` the parent of several. What a policy must hold here is `terms`.
"""
