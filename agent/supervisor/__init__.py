"""The small process that holds the ports: it starts the engine with them, starts it again, and stands in for it.

Nothing of the engine is imported here, and nothing but the standard library beside what reads the settings: what must
never fail is kept small, and starts in a fraction of the engine's time.
"""
