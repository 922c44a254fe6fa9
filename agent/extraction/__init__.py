"""Files made into text: what a file is by its content, and what it says.

`reading.read` does the work, with hostile input in mind: every parser has limits (`budget`), none follows a reference,
nothing is written to disk. Plain texts and pictures are read here (`reading.read_plainly`); everything that needs a
parser is read in one process of its own (`worker`, behind `extractor`), which is ended when it hangs, dies or grows.
Nothing of a file is ever logged. See docs/adr/0021-files-are-read-in-a-process-of-their-own.md.
"""

from agent.extraction.budget import Limits
from agent.extraction.extractor import Extractor

__all__ = ["Extractor", "Limits"]
