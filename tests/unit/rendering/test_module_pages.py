"""The generated part of a module's page: what it says, and that all else on the page stays."""

import pytest

from ngp.catalogue import checks, contents, loading
from ngp.catalogue.module import Catalogue
from ngp.catalogue.rules import source
from ngp.catalogue.rules.pages import BEGIN, END
from ngp.errors import UsageError
from ngp.rendering import markdown, module_pages, scaffold

RULES = """
locals {
  ports = {
    gossip = { port = 7946, protocol = "udp", about = "Gossip" }
    web    = { port = 80, protocol = "tcp", about = "Web" }
  }
}

resource "aws_vpc_security_group_ingress_rule" "node" {
  for_each = local.ports

  security_group_id            = aws_security_group.node[0].id
  description                  = each.value.about
  referenced_security_group_id = aws_security_group.lb.id
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "ssh" {
  count = var.ssh ? 1 : 0

  security_group_id = var.group
  description       = each.key
  cidr_ipv4         = "10.0.0.0/8"
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 23
}

resource "aws_vpc_security_group_egress_rule" "node" {
  security_group_id = aws_security_group.node[0].id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}
"""
POLICIES = """
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "shared" {
  statement {
    sid       = "LogIn"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "node" {
  source_policy_documents = [data.aws_iam_policy_document.shared.json]

  dynamic "statement" {
    for_each = var.key == "" ? [] : [var.key]
    content {
      sid       = "UseTheKey"
      effect    = "Deny"
      actions   = ["kms:Decrypt"]
      resources = [statement.value, "${statement.value}/*"]
      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["s3"]
      }
    }
  }
}

resource "aws_iam_role" "node" {
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "node" {
  role   = aws_iam_role.node.id
  policy = data.aws_iam_policy_document.node.json
}

resource "aws_iam_role_policy_attachment" "node" {
  role       = aws_iam_role.node.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonSSMManagedInstanceCore"
}
"""


@pytest.fixture
def thing(tmp_path):
    """A module as the scaffold makes it."""
    wish = scaffold.ModuleRequest("thing", "Thing", "apps", "A thing.")
    for path, text in scaffold.render(tmp_path, Catalogue(tmp_path, {}), wish).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "thing"


def made(folder):
    return contents.collect(source.load(loading.load_module(folder)))


def page(folder):
    return module_pages.collect(folder.parent)[folder / "README.md"]


def add(folder, name, text):
    path = folder / name
    path.write_text(path.read_text() + text)


def row(text, first):
    """The cells of the last row that begins so: inputs stand below the wires."""
    found = [line for line in text.splitlines() if line.startswith(f"| `{first}` |")]
    return [cell.strip() for cell in found[-1][1:-1].split(" |")]


def test_all_but_the_generated_part_stays_byte_for_byte():
    before = f"# A\r\n\n  text  \n\n{BEGIN}\nold\n{END}\n\n\nafter, without a line end"
    after = module_pages.write(before, "new\n", "README.md")
    assert after == before.replace("\nold\n", "\n\nnew\n\n")
    assert module_pages.write(after, "new\n", "README.md") == after


def test_a_page_without_marks_gets_them_at_its_end():
    assert module_pages.write("# A\n\n", "new\n", "README.md") == f"# A\n\n{BEGIN}\n\nnew\n\n{END}\n"


@pytest.mark.parametrize("text", [BEGIN, END, f"{END}\n{BEGIN}\n", f"{BEGIN}{END}{END}", f"{BEGIN}{BEGIN}{END}"])
def test_marks_that_are_no_pair_are_refused(text):
    with pytest.raises(UsageError, match="README.md: the marks around the generated part are damaged"):
        module_pages.write(text, "new\n", "README.md")


def test_the_rule_tells_a_stale_page_and_not_a_fresh_one(thing):
    def found():
        return [(fault.rule, fault.finding.todo) for fault in checks.check(thing.parent, more=[rule])]

    rule = module_pages.freshness(thing.parent)
    assert found() == [("docs", "ngp module docs thing")]
    (thing / "README.md").write_text(page(thing))
    assert found() == []
    add(thing, "thing-output.tf", 'output "more" {\n  description = "More."\n  value = 1\n}\n')
    assert found() == [("docs", "ngp module docs thing")]
    add(thing, "README.md", END)
    assert [rule for rule, _ in found()] == ["docs"]


def test_a_module_that_does_not_load_keeps_no_other_page_from_being_judged(thing):
    (thing / "README.md").write_text(page(thing))
    (thing.parent / "broken").mkdir()
    (thing.parent / "broken" / "module.yaml").touch()
    assert checks.check(thing.parent, ["thing"], more=[module_pages.freshness(thing.parent)]) == []


def test_a_needed_section_that_is_missing_or_empty_or_only_generated_is_told(thing):
    text = (thing / "README.md").read_text()
    assert "### Restore\n" in text
    for old, new in (
        ("### Restore\n", "```\n### Restore\n```\n"),
        ("## Limits\n\nA parameter has at most 4 KiB.", "## Limits"),
        ("## Security", "### Security"),
        (BEGIN, f"{BEGIN}\n## Security\n\nx"),
    ):
        assert old in text
        text = text.replace(old, new)
    (thing / "README.md").write_text(text)
    found = [fault.finding.what for fault in checks.check(thing.parent)]
    assert found == [
        "the page has no `## Security`, or nothing in it",
        "the page has no `### Restore` below `## Operations`, or nothing in it",
        "the page has no `## Limits`, or nothing in it",
    ]


def test_inputs_say_what_a_change_does(thing):
    (thing / "module.yaml").write_text(
        (thing / "module.yaml").read_text().replace("requires: []", "requires: [vpc_id, wire]")
        + "upgrade:\n  message: {effect: replace, note: A|B., resources: [aws_ssm_parameter.this]}\n"
    )
    for name, more in (
        ("wire", ""),
        ("vpc_id", ""),
        ("big", "default = {}\n  sensitive = true\n  ephemeral = true"),
        ("plain", 'default = "a|b`"'),
    ):
        type_ = (
            "map(object({ aaaa = string, bbbb = optional(number, 1), cccc = list(string) }))"
            if name == "big"
            else "string"
        )
        text = f'variable "{name}" {{\n  description = "Is <b>."\n  type = {type_}\n  {more}\n}}\n'
        add(thing, "thing-variables.tf", text)
    text = page(thing)
    assert row(text, "message")[2:] == [
        '`"made by ngp"`',
        "What the parameter says.",
        r"**replaces** `aws_ssm_parameter.this`: A\|B.",
    ]
    assert row(text, "wire")[2:] == ["wired", "Is &lt;b>.", ""]
    assert row(text, "big") == ["`big`", "`map(object)`, sensitive, ephemeral", "`{}`", "Is &lt;b>.", "in place"]
    assert row(text, "plain")[2] == r'`` "a\|b`" ``'
    assert row(text, "pre_tag")[2:] == [
        "**required**",
        "Prefix of all resource names, such as shop in shop-vpc-dev.",
        "new names",
    ]
    own, common = text.split("### Common inputs")
    assert "| `message` |" in own
    assert "| `vpc_id` |" in common


def test_wires_name_the_modules_that_give_them(thing):
    module = loading.load_module(thing)
    said = module_pages.providers([module])
    assert said == {}
    (thing / "module.yaml").write_text(
        (thing / "module.yaml").read_text().replace("provides: []", "provides: [parameter_arn]")
    )
    assert module_pages.providers([loading.load_module(thing)]) == {"parameter_arn": ["thing"]}


def test_network_rules_are_told_one_by_one_where_their_locals_are_literal(thing):
    add(thing, "thing.tf", RULES)
    rules = [(each.group, each.protocol, each.ports, each.peer, each.description) for each in made(thing).network_rules]
    node, balancer = "aws_security_group.node", "aws_security_group.lb"
    assert rules == [
        (node, "udp", "7946", balancer, "Gossip"),
        (node, "tcp", "80", balancer, "Web"),
        ("var.group", "tcp", "22 to 23", "10.0.0.0/8", "each.key"),
        (node, "-1", "", "0.0.0.0/0", ""),
    ]
    assert [each.repeated for each in made(thing).network_rules] == ["", "", "var.ssh", ""]
    assert "| `node` | out | all | all | `0.0.0.0/0` |  |  |" in page(thing)


def test_rights_are_told_by_role_with_what_a_document_takes_in(thing):
    add(thing, "thing.tf", POLICIES)
    role = "aws_iam_role.node"
    assert made(thing).statements == (
        contents.PolicyStatement(role, "", ("sts:AssumeRole",), ("ec2.amazonaws.com",)),
        contents.PolicyStatement(
            role, "UseTheKey", ("kms:Decrypt",), ("var.key", "${var.key}/*"), ("kms:ViaService",), is_denied=True
        ),
        contents.PolicyStatement(role, "LogIn", ("ecr:GetAuthorizationToken",), ("*",)),
        contents.PolicyStatement(role, "AmazonSSMManagedInstanceCore"),
    )
    assert "| **never** `kms:Decrypt` |" in page(thing)


def test_no_text_breaks_out_of_its_cell():
    assert markdown.table(("a", "b"), [("1", "")]) == "| a | b |\n|---|---|\n| 1 |  |"
    assert markdown.code("a\n  | b") == r"`a \| b`"
    assert markdown.prose("a <b> `<c>` | d") == r"a &lt;b> `<c>` \| d"
