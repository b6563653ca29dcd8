"""The test provider, of protocol 6 and in Python: the same life, plainly and through the proxy."""

import pytest

from tests.comparing import require_equal

pytestmark = [pytest.mark.terraform, pytest.mark.slow]


def test_two_configurations_and_functions(fickle_lab):
    text = """
        provider "fickle" { greeting = "Good day" }
        provider "fickle" {
          alias    = "rude"
          greeting = "Oi"
        }
        data "fickle_echo" "who" { name = "Ann" }
        resource "fickle_thing" "polite" {
          name  = provider::fickle::shout("to", data.fickle_echo.who.answers[1])
          notes = ["é", "<&>", ""]
        }
        resource "fickle_thing" "rude" {
          provider = fickle.rude
          for_each = toset(data.fickle_echo.who.answers)
          name     = each.key
          secret   = fickle_thing.polite.greeting
        }
        output "shouted" { value = provider::fickle::shout(fickle_thing.polite.greeting, "so", "much") }
        output "rude" { value = [for one in fickle_thing.rude : one.greeting] }
        """
    seen = fickle_lab.both(lambda walk: walk.live(), text)
    require_equal(seen)
    assert {step.exit_code for step in seen[1]} == {0}
    outputs = next(step for step in seen[1] if step.name == "made").documents["state"]["outputs"]
    assert outputs["shouted"]["value"] == "GOOD DAY, TO ANN! SO MUCH"
    assert outputs["rude"]["value"] == ["Oi, Ann!", "Oi, Good day, Ann!"]


def test_functions_where_nothing_is_configured(fickle_lab):
    def visit(walk):
        walk.init()
        walk.validate()
        walk.console("one", 'provider::fickle::shout("a", local.word)')
        walk.console("wrong", 'provider::fickle::act("error:call")')
        walk.console("unknown", 'provider::fickle::whisper("a")')
        walk.plan("wrong in an output")

    text = """
        locals { word = "b" }
        output "wrong" { value = provider::fickle::act("error:call") }
        """
    seen = fickle_lab.both(visit, text)
    require_equal(seen)
    said = {step.name: step.documents.get("said") or step.said for step in seen[1]}
    assert said["one"]["console"].endswith('"A B"\n')
    assert "It will not" in str(said["wrong"])
    assert "It will not" in str(said["wrong in an output"])


def test_changes_in_place_and_by_another(fickle_lab):
    def visit(walk):
        walk.init()
        walk.make("made")
        for name, old, new in [
            ("updated", 'notes = ["a"]', 'notes = ["b", "a"]'),
            ("replaced", 'name = "thing"', 'name = "other"'),
            ("tainted", 'name = "second"', 'name = "second"\nlifecycle {\n create_before_destroy = true\n}'),
            ("found gone", 'name = "gone"', 'name = "here"'),
        ]:
            text = (walk.path / "main.tf").read_text()
            assert old in text
            (walk.path / "main.tf").write_text(text.replace(old, new))
            walk.make(name, replace=("fickle_thing.second",) if name == "tainted" else ())

    text = """
        resource "fickle_thing" "first" {
          name = "thing"
          notes = ["a"]
        }
        resource "fickle_thing" "second" {
          name = "second"
          notes = fickle_thing.first.notes
        }
        resource "fickle_thing" "third" { name = "gone" }
        """
    seen = fickle_lab.both(visit, text)
    require_equal(seen)
    plans = {step.name: step.documents["plan"] for step in seen[1] if "plan" in step.documents}
    actions = {
        name: [change["change"]["actions"] for change in plan["resource_changes"]] for name, plan in plans.items()
    }
    assert actions["updated: plan"] == [["update"], ["update"], ["create"]]
    assert actions["replaced: plan"][0] == ["delete", "create"]
    assert actions["tainted: plan"][1] == ["create", "delete"]
    assert {step.exit_code for step in seen[1]} == {0}


def test_imported_moved_and_forgotten_things(fickle_lab):
    def visit(walk):
        walk.init()
        walk.make("made")
        (walk.path / "main.tf").write_text(
            """
            moved {
              from = fickle_thing.old
              to   = fickle_thing.new
            }
            removed {
              from = fickle_thing.forgotten
              lifecycle { destroy = false }
            }
            import {
              to = fickle_thing.found
              id = provider::fickle::shout("found")
            }
            resource "fickle_thing" "new" { name = "old" }
            resource "fickle_thing" "found" { name = "FOUND" }
            """
        )
        walk.make("moved")
        lost = 'import {\n to = fickle_thing.lost\n id = "nowhere"\n}\nresource "fickle_thing" "lost" { name = "x" }\n'
        other = "moved {\n from = fickle_thing.new\n to = fickle_other.new\n}\n"
        other += 'resource "fickle_other" "new" { name = "old" }\n'
        for name, text in {"lost": lost, "another type": other}.items():
            (walk.path / "main.tf").write_text(text)
            walk.plan(name)

    text = """
        resource "fickle_thing" "old" { name = "old" }
        resource "fickle_thing" "forgotten" { name = "forgotten" }
        """
    seen = fickle_lab.both(visit, text)
    require_equal(seen)
    assert [step.exit_code for step in seen[1]] == [0, 0, 0, 0, 0, 1, 1]
    assert "Import returned no resources" in str(seen[1][-2].said)
    assert "across resource types" in str(seen[1][-1].said)


def test_both_providers_in_one_root(mixed_lab):
    text = """
        provider "aws" {
          region              = "eu-central-1"
          allowed_account_ids = ["123456789012"]
        }
        resource "aws_sns_topic" "topic" {
          name = lower(provider::fickle::shout(replace(fickle_thing.thing.greeting, "/[^a-zA-Z]/", "")))
        }
        resource "fickle_thing" "thing" { name = provider::aws::arn_parse("arn:aws:iam::444455556666:role/a").resource }
        data "fickle_echo" "back" { name = aws_sns_topic.topic.arn }
        output "back" { value = data.fickle_echo.back.answers }
        """
    seen = mixed_lab.both(lambda walk: walk.live(), text)
    require_equal(seen)
    assert {step.exit_code for step in seen[1]} == {0}
    assert "arn:aws:sns:eu-central-1:123456789012:hellorolea" in str(seen[1])
