"""What commands and people ask the running agent, and tell it: the control API and the dashboard.

Nothing here touches traffic. Who asks is known from the kernel, or from a session that such a person began.
"""
