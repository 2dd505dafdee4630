"""An import-linter contract: every module is pure, unless it is named as the edge."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class PureContract(Contract):
    """Modules of `packages` that are not named in `edge` import neither `forbidden` nor the edge.

    Whatever else they import inside the house must be pure too, so looking at direct imports is
    enough. A new file is pure until somebody names it as edge; an edge that names nothing is a
    mistake.
    """

    type_name = "pure"

    packages = fields.SetField(subfield=fields.StringField())
    edge = fields.SetField(subfield=fields.StringField())
    forbidden = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find every import that makes a pure module impure."""
        named = {str(expression) for expression in self.edge}  # type: ignore[attr-defined]
        edge = set(_matching(graph.modules, named))
        inside = set(_matching(graph.modules, self.packages))  # type: ignore[arg-type]
        pure = inside - edge
        wrong = [
            (importer, imported)
            for importer in sorted(pure)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if imported in self.forbidden  # type: ignore[operator]
            or (imported not in pure and not graph.is_module_squashed(imported))
        ]
        nothing = sorted(name for name in named if not set(_matching(graph.modules, {name})))
        found = [_place(graph, *pair) for pair in wrong]
        found += [f"{name} is named as edge, but there is no such module" for name in nothing]
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each import with its lines."""
        for line in check.metadata["found"]:
            output.print_error(f"- {line}", bold=False)
        output.print_error(
            "Move the I/O to the edge, or name the file as edge here and in ruff's list."
        )
        output.new_line()


def _matching(modules: Iterable[str], expressions: Iterable[str]) -> Iterator[str]:
    """Modules named by the expressions, and those inside them; `*` is one part of a name."""
    parts = (re.escape(e).replace(r"\*", r"[^.]+") for e in expressions)
    pattern = re.compile(rf"(?:{'|'.join(parts)})(?:\..+)?")
    return (module for module in modules if pattern.fullmatch(module))


def _place(graph: ImportGraph, importer: str, imported: str) -> str:
    details = graph.get_import_details(importer=importer, imported=imported)
    lines = ", ".join(str(line) for line in sorted(d["line_number"] for d in details))
    return f"{importer} imports {imported} (l.{lines})"
