#!/bin/sh
# Print the path of a Python that can run Drawbridge (3.13 or newer), or say clearly that there is none.
for candidate in python3.13 python3.14 python3 python "$HOME"/.pyenv/versions/3.13*/bin/python3; do
    path=$(command -v "$candidate" 2>/dev/null) || continue
    if "$path" -c 'import sys; sys.exit(not sys.version_info >= (3, 13))' 2>/dev/null; then
        echo "$path"
        exit 0
    fi
done
echo "Drawbridge needs Python 3.13 or newer, and none was found on PATH." >&2
echo "Found: $(python3 --version 2>&1 || echo 'no python3 at all'). Install Python 3.13, then run make again." >&2
exit 1
