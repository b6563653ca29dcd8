"""Argument vectors: without any option, and with every one."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from ngp.terraform import commands
from ngp.terraform.commands import ApplyOptions, InitOptions, PlanOptions

TERRAFORM = ("terraform",)


def test_init():
    assert commands.init(TERRAFORM, InitOptions(readonly_lock=False, json=False)) == (
        "terraform", "init", "-no-color", "-input=false", "-reconfigure", "-backend=true",
    )  # fmt: skip


def test_init_with_every_option():
    options = InitOptions(backend=False, plugin_folder=Path("/mirror"), readonly_lock=True, json=True)
    assert commands.init(TERRAFORM, options) == (
        "terraform", "init", "-no-color", "-input=false", "-json", "-lockfile=readonly", "-plugin-dir=/mirror",
        "-backend=false",
    )  # fmt: skip


def test_plan():
    assert commands.plan(TERRAFORM, PlanOptions()) == ("terraform", "plan", "-no-color", "-input=false", "-json")


def test_plan_with_every_option():
    options = PlanOptions(
        out=Path("/runs/a plan"),
        destroy=True,
        refresh=False,
        refresh_only=True,
        targets=('module.a["x y"]', "b"),
        replace=("c", "d"),
        var_files=(Path("one.json"), Path("two.json")),
        lock=False,
        lock_timeout="30s",
        parallelism=3,
        detailed_exitcode=True,
        extra=("-compact-warnings", "-generate-config-out=x"),
    )
    assert commands.plan(TERRAFORM, options) == (
        "terraform", "plan", "-no-color", "-input=false", "-json", "-out=/runs/a plan", "-destroy",
        "-refresh=false", "-refresh-only", '-target=module.a["x y"]', "-target=b", "-replace=c", "-replace=d",
        "-var-file=one.json", "-var-file=two.json", "-lock=false", "-lock-timeout=30s", "-parallelism=3",
        "-detailed-exitcode", "-compact-warnings", "-generate-config-out=x",
    )  # fmt: skip


def test_apply():
    assert commands.apply(TERRAFORM, Path("/p"), ApplyOptions()) == (
        "terraform", "apply", "-no-color", "-input=false", "-json", "/p",
    )  # fmt: skip


def test_apply_with_every_option():
    options = ApplyOptions(lock=False, lock_timeout="1m", parallelism=2, extra=("-compact-warnings",))
    assert commands.apply(TERRAFORM, Path("/p"), options) == (
        "terraform", "apply", "-no-color", "-input=false", "-json", "-lock=false", "-lock-timeout=1m", "-parallelism=2",
        "-compact-warnings", "/p",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (commands.validate(TERRAFORM), "validate -json -no-color"),
        (commands.show(TERRAFORM), "show -json -no-color"),
        (commands.show(TERRAFORM, Path("/p")), "show -json -no-color /p"),
        (commands.output(TERRAFORM), "output -json -no-color"),
        (commands.console(TERRAFORM), "console"),
        (commands.console(TERRAFORM, [Path("a"), Path("b")]), "console -var-file=a -var-file=b"),
        (commands.providers_lock(TERRAFORM, []), "providers lock -no-color"),
        (
            commands.providers_lock(TERRAFORM, ["linux_amd64", "darwin_arm64"], mirror=Path("/m"), providers=["a/b"]),
            "providers lock -no-color -platform=linux_amd64 -platform=darwin_arm64 -fs-mirror=/m a/b",
        ),
        (commands.fmt(TERRAFORM, ["-"]), "fmt -no-color -"),
        (commands.fmt(TERRAFORM, ["a", "b"], check=True, recursive=True), "fmt -no-color -check -recursive a b"),
        (commands.version(TERRAFORM), "version -json"),
        (commands.run_tests(TERRAFORM), "test -json -no-color"),
        (
            commands.run_tests(TERRAFORM, filters=["a", "b"], folder="t", verbose=True),
            "test -json -no-color -filter=a -filter=b -test-directory=t -verbose",
        ),
    ],
)
def test_other_verbs(argv, words):
    assert " ".join(argv) == f"terraform {words}"


def test_prefix_of_several_words_stands_before_the_verb():
    prefix = ("python", "-P", "/with space/bundled.py")
    assert commands.validate(prefix)[:4] == (*prefix, "validate")


def test_option_that_is_a_mapping_is_refused_and_no_file_is_made():
    words = commands._Words(TERRAFORM)
    with pytest.raises(TypeError, match="var file"):
        words.cmd("plan", var={"password": "p"})
    assert words.temp_var_files.files == []


def test_library_makes_no_command_of_an_unknown_name():
    words = commands._Words(TERRAFORM)
    assert not hasattr(words, "nonsense")


def test_library_logs_nothing():
    assert logging.getLogger("python_terraform").disabled
