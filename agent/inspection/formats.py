"""The dialects that a policy knows: those with a module of their own, the shapes of chat pages that ship with the
agent, and the shapes in the policy's own files, which take the place of bundled ones of the same name.

A shape whose examples do not come out is refused, so that a page's change is mended by a file that was tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from agent.catalog import bundled_shapes, parse_shapes
from agent.dialects import DIALECTS
from agent.dialects.base import Dialect
from agent.dialects.webshape import WebShapeDialect, try_examples
from agent.errors import ConfigError, PolicyError
from agent.inspection.companions import Companions
from agent.policy import Policy

MAX_SHAPES_FILE = 1024 * 1024
"""Bytes of a policy's file of shapes."""


@cache
def bundled_dialects() -> Mapping[str, Dialect]:
    """The dialects that need no policy, by name. Reads a small file, once."""
    shapes = {shape.name: WebShapeDialect(shape) for shape in bundled_shapes()}
    return MappingProxyType({**shapes, **DIALECTS})


def dialects_of(policy: Policy, companions: Companions, *, examples: bool = True) -> Mapping[str, Dialect]:
    """The dialects of a policy, by name. Raises PolicyError for a file of shapes that is wrong or, unless `examples` is
    False, does not do what its own examples say."""
    if not policy.shapes:
        return bundled_dialects()
    own: dict[str, Dialect] = {}
    for name in policy.shapes:
        try:
            shapes = parse_shapes(companions.text(name), source=name)
            made = [WebShapeDialect(shape) for shape in shapes]
        except ConfigError as error:
            raise PolicyError(str(error), hint=error.hint()) from error
        for dialect in made:
            if dialect.name in own or dialect.name in DIALECTS:
                raise PolicyError(f"{name}: the name {dialect.name!r} is taken by another dialect")
            own[dialect.name] = dialect
            if examples and (problem := next(try_examples(dialect), None)):
                raise PolicyError(
                    f"{name}: {problem}", hint="Mend the shape or the example; see docs/web-shapes.md."
                )
    return MappingProxyType({**bundled_dialects(), **own})
