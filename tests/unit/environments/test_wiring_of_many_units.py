"""Environments of many units: what is looked at once stays so, and findings stay short."""

import pytest

from ngp.catalogue.rules import source
from ngp.environments import documents, revisions, validity, wiring
from ngp.errors import UsageError

HEAD = 'target: sandbox\naccount: "123456789012"\nregion: eu-central-1\ndomain: dev.example.com\nunits:\n'


def units(module, number):
    return "".join(f"  {module}-{at}: {{module: {module}}}\n" for at in range(number))


def test_units_that_wire_the_same_inputs_have_their_module_read_once(house, monkeypatch):
    read = []
    load = source.load
    monkeypatch.setattr(source, "load", lambda module: (read.append(module.name), load(module))[1])
    wires = "".join(f"  openvpn-{at}: {{vpc_id: network.vpc_id, peer: network.vpc_id}}\n" for at in range(50))
    house.environment(f"{HEAD}  network: {{}}\n{units('openvpn', 50)}wiring:\n{wires}")
    environment = documents.load(house.platform, "dev")
    wiring.check_counts(environment, revisions.load_catalogue(house.platform, environment))
    assert read == ["openvpn"]


def test_a_wire_on_which_a_number_of_objects_depends_is_told_at_its_unit(house):
    count = 'resource "aws_eip" "peer" {\n  count = var.peer == null ? 0 : 1\n}\n'
    (house.path / "modules/openvpn/openvpn.tf").write_text(count)
    text = house.read("environment.yaml")
    house.environment(text)
    assert validity.faults([house.resolve()]) == []
    house.environment(text.replace("{vpc_id: network.vpc_id}", "{vpc_id: network.vpc_id, peer: network.vpc_id}"))
    (found,) = validity.faults([house.resolve()])
    where = f"{house.path}/environments/dev/environment.yaml:10"
    assert found.what.startswith(f"{where} wires `openvpn` so that "), found
    assert "aws_eip.peer" in str(found)


@pytest.mark.parametrize(("number", "named", "ends"), [(8, 8, "network-7.vpc_id`"), (9, 8, "network-7.vpc_id`, …")])
def test_an_input_that_many_units_could_feed_names_some(house, number, named, ends):
    house.environment(f"{HEAD}{units('network', number)}  openvpn: {{}}\n")
    with pytest.raises(UsageError) as refused:
        house.resolve()
    (why,) = [each.why for each in refused.value.findings if "openvpn.vpc_id" in each.what]
    assert why.count(".vpc_id`") == named
    assert why.endswith(ends)
