"""`python -m agent`: the same as the command `drawbridge`."""

from agent.cli import main

if __name__ == "__main__":
    main()
