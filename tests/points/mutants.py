"""Mutation testing of the pure ledger: change one thing, and a test must notice.

`python -m tests.points.mutants [--seconds 600] [--seed 1] [--only lots]`: each comparison, sign,
bound, constant and branch of the modules below is changed in turn, in a process of its own in which
the tests of the ledger run; whatever they let pass is printed. The mutants come in an order that
the seed decides, and as many of them as the seconds allow.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib
import io
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

import pytest

MODULES: Final = (
    "services.points.account",
    "services.points.awards",
    "services.points.caps",
    "services.points.holds",
    "services.points.lots",
    "services.points.postings",
    "services.points.decider.account",
    "services.points.decider.account.adjusting",
    "services.points.decider.account.awarding",
    "services.points.decider.account.reversing",
)
FAST: Final = ("holds", "postings", "awards", "reversals", "account", "reactions")
SLOW: Final = ("machine",)
"""Asked only where the others saw nothing."""
HANGS: Final = 150.0
"""Seconds after which a mutant that runs for ever is taken as noticed."""

COMPARES: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
SIGNS: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
}


@dataclass(frozen=True)
class Mutant:
    """One change of one place."""

    module: str
    place: int
    """Which node of the module, in the order of `ast.walk`."""
    change: int
    """Which of the changes that the node has."""


def changed(node: ast.AST) -> Iterator[ast.AST]:
    """Every change that is made of a node."""
    yield from _operators(node)
    match node:
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() as value):
            yield ast.Constant(value + 1)
        case ast.IfExp():
            yield ast.IfExp(node.test, node.orelse, node.body)
        case ast.Expr(value=ast.YieldFrom() | ast.Yield()) | ast.AugAssign():
            yield ast.Pass()
        case ast.Call(func=ast.Name(id="min")):
            yield ast.Call(ast.Name("max", ast.Load()), node.args, node.keywords)
        case ast.Call(func=ast.Name(id="max")):
            yield ast.Call(ast.Name("min", ast.Load()), node.args, node.keywords)


def _operators(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[op]):
            for other in COMPARES.get(type(op), ()):
                yield ast.Compare(node.left, [other()], node.comparators)
        case ast.BinOp(op=op) if type(op) in SIGNS:
            yield ast.BinOp(node.left, SIGNS[type(op)](), node.right)
        case ast.BoolOp(op=ast.And()):
            yield ast.BoolOp(ast.Or(), node.values)
        case ast.BoolOp(op=ast.Or()):
            yield ast.BoolOp(ast.And(), node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.UnaryOp(op=ast.USub()):
            yield node.operand


def inside(tree: ast.Module) -> Iterator[int]:
    """The places in functions; what runs on import only is no rule."""
    within = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for statement in function.body
        for node in ast.walk(statement)
    }
    for place, node in enumerate(ast.walk(tree)):
        if id(node) in within:
            yield place


def mutants() -> list[Mutant]:
    """All of them."""
    found: list[Mutant] = []
    for name in MODULES:
        tree = ast.parse(source_of(name))
        nodes = list(ast.walk(tree))
        for place in inside(tree):
            changes = len(list(changed(nodes[place])))
            found += [Mutant(name, place, change) for change in range(changes)]
    return found


def source_of(name: str) -> str:
    """The text of a module."""
    file = importlib.import_module(name).__file__
    return Path(str(file)).read_text("utf-8")


class Exchange(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> Any:
        return self.new if node is self.old else self.generic_visit(node)


def mutated(mutant: Mutant) -> tuple[CodeType, str]:
    """The module with the change in it, and the change in words."""
    tree = ast.parse(source_of(mutant.module))
    old = list(ast.walk(tree))[mutant.place]
    before = ast.unparse(old)
    new = list(changed(copy.deepcopy(old)))[mutant.change]
    ast.copy_location(new, old)
    line = getattr(old, "lineno", 0)
    tree = Exchange(old, new).visit(tree)
    ast.fix_missing_locations(tree)
    words = f"{mutant.module}:{line}: {before}  ->  {ast.unparse(new)}"
    return compile(tree, mutant.module, "exec"), words


def put_in_place(module: ModuleType, code: CodeType) -> None:
    """Give every function of the module its new code, wherever it is referred to."""
    fresh: dict[str, Any] = {**vars(module)}
    exec(code, fresh)  # noqa: S102 - our own source, changed in one place
    for name, old in list(vars(module).items()):
        new = fresh.get(name)
        if isinstance(old, FunctionType) and isinstance(new, FunctionType):
            if old.__module__ == module.__name__:
                old.__code__ = new.__code__
        elif isinstance(old, type) and old.__module__ == module.__name__:
            for key, inner in list(vars(old).items()):
                replaced = vars(new).get(key)
                was, now = getattr(inner, "fget", inner), getattr(replaced, "fget", replaced)
                if isinstance(was, FunctionType) and isinstance(now, FunctionType):
                    was.__code__ = now.__code__


def survives(code: CodeType | None, module: ModuleType) -> bool:
    """Whether every test passes with the change; asked in a process of its own."""
    child = os.fork()
    if child:
        began = time.monotonic()
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return status == 0
            if time.monotonic() - began > HANGS:
                os.kill(child, 9)
                os.waitpid(child, 0)
                return False
            time.sleep(0.01)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            if code is not None:
                put_in_place(module, code)
            failed = tests(FAST) or tests(SLOW)
        except BaseException:  # noqa: BLE001 - whatever broke, it was noticed
            failed = 1
    os._exit(int(bool(failed)))


def tests(names: tuple[str, ...]) -> int:
    """Run some files of tests until the first failure; 0 where all pass."""
    folder = Path(__file__).parent
    files = [str(folder / f"test_{name}.py") for name in names]
    quiet = ["-x", "-q", "-p", "no:cacheprovider", "--no-header", "-W", "ignore"]
    return int(pytest.main([*quiet, *files]))


def say(line: str) -> None:
    """At once, also into a pipe."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Mutate, and say what was let pass."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    os.environ["LEDGER_EXAMPLES"] = "15"
    for name in (*FAST, *SLOW):  # imported once, inherited by every child
        importlib.import_module(f"tests.points.test_{name}")
    if not survives(None, sys):
        sys.exit("the tests fail without any change: mend them first")
    waiting = [m for m in mutants() if asked.only in m.module]
    random.Random(asked.seed).shuffle(waiting)
    whole, tried, passed = len(waiting), 0, list[str]()
    until = time.monotonic() + asked.seconds
    while waiting and time.monotonic() < until:
        mutant = waiting.pop()
        code, words = mutated(mutant)
        tried += 1
        if survives(code, importlib.import_module(mutant.module)):
            passed.append(words)
            say(f"survived  {words}")
    noticed = tried - len(passed)
    share = noticed / max(1, tried)
    say(f"{noticed} of {tried} mutants noticed ({share:.1%}), of {whole} in all")
    sys.exit(bool(passed))


if __name__ == "__main__":
    main()
