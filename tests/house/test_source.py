"""Every source file keeps the house rules that no ready-made tool keeps."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.house.tree import OURS, ROOT, Definition, functions, listed, parsed, public, sources

FILE_LINES = 400
FUNCTION_LINES = 60
WITHOUT_DOCSTRING = {"override", "overload", "setter", "deleter"}
"""Decorators of methods whose meaning is written elsewhere."""
BLIND = {"Exception", "BaseException"}


def test_everything_public_says_what_its_name_cannot() -> None:
    silent = [
        f"{path}:{node.lineno} {name}"
        for path in sources(*OURS)
        for name, node in public(path)
        if not ast.get_docstring(node) and not _decorators(node) & WITHOUT_DOCSTRING
    ]
    assert not silent, listed(silent)


def test_every_module_says_what_it_is_for() -> None:
    silent = [str(path) for path in sources(*OURS) if not ast.get_docstring(parsed(path))]
    assert not silent, listed(silent)


def test_functions_are_short() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}: {lines} lines"
        for path in sources()
        for node in functions(path)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES
    ]
    assert not long, listed(long)


def test_files_are_short() -> None:
    long = [f"{path}: {n} lines" for path in sources() if (n := _lines(path)) > FILE_LINES]
    assert not long, listed(long)


def test_an_except_that_does_nothing_says_why() -> None:
    """Blind ones are found by ruff (BLE001, E722, S110, S112)."""
    silent = [
        f"{path}:{node.lineno}"
        for path in sources()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ExceptHandler)
        and all(isinstance(step, ast.Pass | ast.Continue) for step in node.body)
        and not _waits(node)
        and "#" not in _text(path, node)
    ]
    assert not silent, listed(silent)


def test_nothing_is_suppressed_blindly() -> None:
    blind = [
        f"{path}:{node.lineno}"
        for path in sources()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and _name(node.func) == "suppress"
        and {_name(argument) for argument in node.args} & BLIND
    ]
    assert not blind, listed(blind)


def _waits(handler: ast.ExceptHandler) -> bool:
    """Whether it only ends a wait: nothing came in that time."""
    match handler.type:
        case None:
            return False
        case ast.Tuple(elts=caught):
            return all(_name(one) == "TimeoutError" for one in caught)
        case one:
            return _name(one) == "TimeoutError"


def _text(path: Path, node: ast.ExceptHandler) -> str:
    lines = (ROOT / path).read_text("utf-8").splitlines()
    return "\n".join(lines[node.lineno - 1 : node.end_lineno])


def _decorators(node: Definition) -> set[str]:
    return {_name(decorator) for decorator in node.decorator_list}


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=function):
            return _name(function)
        case _:
            return ""


def _lines(path: Path) -> int:
    return parsed(path).body[-1].end_lineno or 0 if parsed(path).body else 0
