"""Mutation testing of the pure ledger: change one thing, and a test must notice.

`python -m tests.points.mutants [--only lots] [--at 107] [--results FILE]`: each comparison, sign,
bound, constant and branch of the modules below is changed in turn, in a fork that has the tests of
the ledger collected already and runs them until the first failure. Whatever they let pass is
printed, and every verdict is written to the file as it falls.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import os
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final, TextIO

import pytest
from hypothesis import HealthCheck, Phase, settings

MODULES: Final = (
    "services.points.account",
    "services.points.awards",
    "services.points.caps",
    "services.points.earning",
    "services.points.holds",
    "services.points.invariants",
    "services.points.lots",
    "services.points.postings",
    "services.points.decider.account",
    "services.points.decider.account.adjusting",
    "services.points.decider.account.awarding",
    "services.points.decider.account.reversing",
)
TESTS: Final = ("holds", "postings", "awards", "reversals", "account", "invariants", "machine")
"""In this order: the machine is asked where the sentences saw nothing."""
EXAMPLES: Final = 25
"""Of 40 steps each, that the machine tries on a mutant."""
AT_ONCE: Final = 2
SECONDS: Final = 12
"""Of processor time. A mutant that runs longer runs for ever, and is noticed by that."""
MEMORY: Final = 4 * 2**30

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
    line: int


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
            changes, line = len(list(changed(nodes[place]))), getattr(nodes[place], "lineno", 0)
            found += [Mutant(name, place, change, line) for change in range(changes)]
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
    tree = Exchange(old, new).visit(tree)
    ast.fix_missing_locations(tree)
    words = f"{mutant.module}:{mutant.line}: {before}  ->  {ast.unparse(new)}"
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


@dataclass
class Bench:
    """Where mutants are judged: a plugin that takes the place of pytest's loop over the tests."""

    waiting: list[Mutant]
    results: TextIO
    tried: int = 0
    survivors: list[str] = field(default_factory=list)
    running: dict[int, str] = field(default_factory=dict)
    """What changes in which fork."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Judge every mutant with the tests that were collected."""
        machine: Any = importlib.import_module("tests.points.test_machine")
        machine.TestAccount.settings = settings(
            machine.TestAccount.settings,
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        if os.waitpid(fork(partial(fails, session)), 0)[1]:
            raise pytest.UsageError("the tests fail without any change: mend them first")
        for mutant in self.waiting:
            code, words = mutated(mutant)
            module = importlib.import_module(mutant.module)
            self.running[fork(partial(fails_with, session, module, code))] = words
            while len(self.running) >= AT_ONCE:
                self.hear()
        while self.running:
            self.hear()
        return True

    def hear(self) -> None:
        """Wait for a verdict."""
        child, status = os.wait()
        words = self.running.pop(child)
        self.tried += 1
        if status == 0:
            self.survivors.append(words)
            say(f"survived  {words}")
        verdict = "endless" if os.WIFSIGNALED(status) else "noticed" if status else "survived"
        self.results.write(f"{verdict:8}  {words}\n")
        self.results.flush()


def fork(failed: Callable[[], bool]) -> int:
    """Ask in a process of its own, which is silent, and has an end."""
    if child := os.fork():
        return child
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        noticed = failed()
    except BaseException:  # noqa: BLE001 - whatever broke, it was noticed
        noticed = True
    os._exit(int(noticed))


def fails(session: pytest.Session) -> bool:
    """Run the tests until the first failure."""
    for item, following in zip(session.items, [*session.items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return True
    return False


def fails_with(session: pytest.Session, module: ModuleType, code: CodeType) -> bool:
    """The same in a process that has one thing changed."""
    put_in_place(module, code)
    return fails(session)


def say(line: str) -> None:
    """At once, also into a pipe."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Mutate, and say what was let pass."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="modules with this in their name")
    parser.add_argument("--at", type=int, help="what stands in this line")
    parser.add_argument("--results", type=Path, default=Path("build/mutants.txt"))
    asked = parser.parse_args()
    found = [m for m in mutants() if asked.only in m.module and asked.at in (None, m.line)]
    folder = Path(__file__).parent
    files = [str(folder / f"test_{name}.py") for name in TESTS]
    quiet = ["-q", "-s", "-p", "no:cacheprovider", "--no-header", "--no-summary", "-W", "ignore"]
    asked.results.parent.mkdir(parents=True, exist_ok=True)
    with asked.results.open("w", encoding="utf-8") as results:
        bench = Bench(found, results)
        ended = pytest.main([*quiet, *files], plugins=[bench])
    if bench.tried < len(found):
        sys.exit(int(ended) or 1)
    noticed = bench.tried - len(bench.survivors)
    say(f"{noticed} of {bench.tried} mutants noticed ({noticed / max(1, bench.tried):.1%})")
    sys.exit(bool(bench.survivors))


if __name__ == "__main__":
    main()
