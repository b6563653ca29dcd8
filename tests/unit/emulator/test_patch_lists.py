"""The package as a whole: what it is about, and what it must agree with."""

import inspect
import pkgutil
from importlib.metadata import version

import pytest

import ngp_emulator
from ngp.aws import limits
from ngp_emulator import ec2_refusals, patches

NO_SERVICES = {"patches", "published", "iam_policies", "iam_resources", "turns"}


def _name(module):
    return module.__name__.rpartition(".")[2]


def test_every_service_is_patched():
    found = {each.name for each in pkgutil.iter_modules(ngp_emulator.__path__)}
    assert {_name(each) for each in patches.SERVICES} == found - NO_SERVICES


@pytest.mark.parametrize("service", patches.SERVICES, ids=_name)
def test_file_is_about_the_moto_that_is_installed(service):
    assert version("moto") == service.MOTO, "look at each patch: does this moto still need it?"


@pytest.mark.parametrize("service", patches.SERVICES, ids=_name)
def test_every_public_function_without_parameters_is_applied(service):
    own = [each for _, each in inspect.getmembers(service, inspect.isfunction) if each.__module__ == service.__name__]
    public = {each for each in own if not each.__name__.startswith("_") and not inspect.signature(each).parameters}
    assert set(service.PATCHES) == public


def test_emulator_and_checks_of_values_have_the_same_limits():
    """Two copies, because neither package may import the other."""
    of_checks = [limits.EC2_CHARACTERS, limits.EC2_TEXT, limits.EC2_TEXT_LENGTH, limits.GROUP_NAME_PREFIX]
    of_emulator = [
        ec2_refusals.CHARACTERS,
        ec2_refusals.TEXT.pattern,
        ec2_refusals.TEXT_LENGTH,
        ec2_refusals.GROUP_NAME_PREFIX,
    ]
    assert of_emulator == of_checks
    assert ec2_refusals.USER_DATA_BYTES == limits.USER_DATA_BYTES
