"""Runs in the frozen program before anything of ours.

A package manager replaces the program's file while an old engine still runs. What that imports later stands at other
places of the new file, so on Linux modules are read from the file that this process was started from, by whatever name
it goes.
"""

import sys

if sys.platform == "linux":
    import pyimod02_importers

    pyimod02_importers.pyz_archive._filename = "/proc/self/exe"  # noqa: SLF001
