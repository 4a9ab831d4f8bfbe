"""Names in a record stand in `trainables/record_format.py` and nowhere else.

Tests spell them out, all the same: they hold still what was written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from trainables import record_format

ROOT = Path(__file__).parents[2]
HOME = ROOT / "trainables" / "record_format.py"
# Of these every program has some; and a single word, such as `seed`, may mean anything.
ORDINARY = {".csv", ".parquet", "run_id"}
HOLDERS = ("tags", "params", "metrics")


def _names() -> set[str]:
    """The names that are no ordinary words."""
    values = {
        value
        for kind in vars(record_format).values()
        if isinstance(kind, type) and kind.__module__ == record_format.__name__
        for attribute, value in vars(kind).items()
        if isinstance(value, str) and not attribute.startswith("_")
    }
    return {name for name in values if not re.fullmatch("[a-z]+", name)} - ORDINARY


def _pattern(name: str) -> str:
    before = r"(?<![\w./])" if name[0].isalnum() else ""
    return before + re.escape(name) + (r"(?!\w)" if name[-1].isalnum() else "")


def _spelled_out(code: str, names: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """Line and text of every name in the code, but for its comments and docstrings."""
    tree = ast.parse(code)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in docstrings:
                # An ordinary word is a name in a query: "tags.kind = …".
                found = names.search(text) or re.search(rf"\b({'|'.join(HOLDERS)})\.`?\w", text)
                if found:
                    yield node.lineno, found[0]
            # And it is one as a key: tags["kind"], tags.get("kind"), "kind" in tags.
            case (
                ast.Subscript(value=holder, slice=ast.Constant(value=str(word)))
                | ast.Call(ast.Attribute(value=holder), args=[ast.Constant(value=str(word)), *_])
                | ast.Compare(left=ast.Constant(value=str(word)), comparators=[holder])
            ) if ast.unparse(holder).endswith(HOLDERS):
                yield node.lineno, word


def test_what_is_a_name_spelled_out_is_found() -> None:
    names = re.compile("|".join(map(_pattern, _names())))
    spelled = (
        *('run.data.tags["kind"]', 'tags.get("seed", "")', '"error" in run.data.tags'),
        *("f\"tags.kind = 'sweep' AND x\"", "x = 'sweep.json'", 'f"final/{name}"', 'f"{x}.shape"'),
    )
    ordinary = (
        *('kind = "sweep"', 'columns["seed"]', 'x = "curves"', 'f"{kind} of {sweep}"'),
        *('"""`sweep.json` and `trial.key`."""', 'x = "resweep.jsons"', 'x = "finally"'),
    )
    assert all(list(_spelled_out(code, names)) for code in spelled)
    assert not any(list(_spelled_out(code, names)) for code in ordinary)


def test_names_in_a_record_are_spelled_out_in_one_place() -> None:
    names = re.compile("|".join(sorted(map(_pattern, _names()), key=len, reverse=True)))
    files = [
        path
        for folder in ("trainables", "sweeps", "analysis")
        for path in (ROOT / folder).rglob("*.py")
        if path != HOME
    ]
    assert len(files) > 100
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in files
        for line, name in _spelled_out(path.read_text(encoding="utf-8"), names)
    ]
    assert not found
