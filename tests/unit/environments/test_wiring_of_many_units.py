"""Environments of many units: what is looked at once stays so, and findings stay short."""

import pytest

from ngp.catalogue.rules import source
from ngp.environments import documents, revisions, wiring
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


@pytest.mark.parametrize(("number", "named", "ends"), [(8, 8, "network-7.vpc_id`"), (9, 8, "network-7.vpc_id`, …")])
def test_an_input_that_many_units_could_feed_names_some(house, number, named, ends):
    house.environment(f"{HEAD}{units('network', number)}  openvpn: {{}}\n")
    with pytest.raises(UsageError) as refused:
        house.resolve()
    (why,) = [each.why for each in refused.value.findings if "openvpn.vpc_id" in each.what]
    assert why.count(".vpc_id`") == named
    assert why.endswith(ends)
