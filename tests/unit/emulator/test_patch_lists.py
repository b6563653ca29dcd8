"""The package as a whole: what it is about, and what it must agree with."""

import inspect
import pkgutil
from importlib import import_module
from importlib.metadata import version

import pytest

import ngp_emulator
from ngp.aws import limits

# Names, not modules: moto takes a second to load, and a worker that only collects does not need it.
NO_SERVICES = {"patches", "published", "iam_policies", "iam_resources", "turns"}
SERVICES = sorted({each.name for each in pkgutil.iter_modules(ngp_emulator.__path__)} - NO_SERVICES)


def test_every_service_is_patched():
    from ngp_emulator import patches

    assert sorted(each.__name__.rpartition(".")[2] for each in patches.SERVICES) == SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_file_is_about_the_moto_that_is_installed(name):
    service = import_module(f"ngp_emulator.{name}")
    assert version("moto") == service.MOTO, "look at each patch: does this moto still need it?"


@pytest.mark.parametrize("name", SERVICES)
def test_every_public_function_without_parameters_is_applied(name):
    service = import_module(f"ngp_emulator.{name}")
    own = [each for _, each in inspect.getmembers(service, inspect.isfunction) if each.__module__ == service.__name__]
    public = {each for each in own if not each.__name__.startswith("_") and not inspect.signature(each).parameters}
    assert set(service.PATCHES) == public


def test_emulator_and_checks_of_values_have_the_same_limits():
    """Two copies, because neither package may import the other."""
    from ngp_emulator import ec2_refusals

    of_checks = [limits.EC2_CHARACTERS, limits.EC2_TEXT, limits.EC2_TEXT_LENGTH, limits.GROUP_NAME_PREFIX]
    of_emulator = [
        ec2_refusals.CHARACTERS,
        ec2_refusals.TEXT.pattern,
        ec2_refusals.TEXT_LENGTH,
        ec2_refusals.GROUP_NAME_PREFIX,
    ]
    assert of_emulator == of_checks
    assert ec2_refusals.USER_DATA_BYTES == limits.USER_DATA_BYTES
