"""The formats of chat pages, carried out as their shapes (`agent/model/webshape.py`) say: one dialect for each.

A shape is data. It is compiled once; what can be wrong with it is said then.
"""

from agent.dialects.webshape.dialect import WebShapeDialect
from agent.dialects.webshape.trying import try_examples

__all__ = ["WebShapeDialect", "try_examples"]
