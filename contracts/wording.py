"""What the source says about fields and values, for exported documents. Pure.

pydantic hands on the docstring of a class; the strings under its fields and under the members
of an enum are read here from the source, once, when somebody exports.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from types import ModuleType


@cache
def wording(module: ModuleType) -> dict[str, dict[str, str]]:
    """By class name: the string that stands under each field or enum member."""
    tree = ast.parse(inspect.getsource(module))
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    return {node.name: dict(_described(node.body)) for node in classes}


def _described(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for statement, following in pairwise(body):
        match statement, following:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, " ".join(text.split())
