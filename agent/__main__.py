"""`python -m agent`: the same as the command `drawbridge`, or the process that reads files."""

import sys

if __name__ == "__main__":
    if sys.argv[1:] == [
        "extraction-worker"
    ]:  # before the command line is imported: it is twenty times the size
        from agent.extraction.worker import main
    else:
        from agent.cli import main
    main()
