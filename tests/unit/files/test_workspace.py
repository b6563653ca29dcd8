"""Every path below .ngp is derived in one place, and no two of them meet."""

import ast
import re
from pathlib import Path

import ngp
from ngp import __main__ as entrance
from ngp.daemons import record
from ngp.daemons.record import DaemonRecord
from ngp.environments.environment import NAME
from ngp.workspace import Workspace

PACKAGE = Path(ngp.__file__).parent
OWNERS = ("files.py", "workspace.py")
EARLY = ("__main__.py",)  # looks for a pool before anything is loaded


def strings(tree):
    """Constant strings of code, without docstrings."""
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node


def joins(tree):
    """Places where something is joined to a workspace, by name or by its `path`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            left = ast.unparse(node.left)
            if re.search(r"\bworkspace(\.path)?$", left):
                yield node


def test_no_other_module_joins_a_name_to_the_workspace():
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name in (*OWNERS, *EARLY):
            continue
        text = path.read_text()
        if "workspace" not in text and ".ngp" not in text:
            continue  # to read its tree takes time
        tree = ast.parse(text)
        found += [f"{name}:{node.lineno}" for node in joins(tree)]
        found += [f"{name}:{node.lineno}" for node in strings(tree) if re.fullmatch(r"\.ngp(/.*)?", node.value)]
    assert found == []


def test_the_entrance_looks_for_the_record_where_the_pool_writes_it(tmp_path, monkeypatch):
    (tmp_path / "ngp.yaml").touch()
    monkeypatch.chdir(tmp_path)
    assert entrance._pool() == ""
    home = Workspace.of(tmp_path).pool
    record.write(home, DaemonRecord(1, str(tmp_path), "", ""))
    assert Path(entrance._pool()) == home / "record.json"


def test_no_environment_has_the_lock_of_something_else():
    workspace = Workspace(Path())
    for other in (workspace.platform_lock, workspace.validation_lock):
        assert other.parent == workspace.lock("dev").parent
        assert not re.fullmatch(NAME, other.stem)
