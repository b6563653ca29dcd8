"""States that tests write."""

import json


def state_of(unit, lineage="a", tag=None):
    """The text of a state with one resource in the module of a unit, tagged for an environment."""
    attributes = {"id": "x", "tags": {"Environment": tag}} if tag else {"id": "x"}
    resource = {
        "mode": "managed",
        "type": "terraform_data",
        "name": "x",
        "module": f"module.{unit}",
        "provider": 'provider["terraform.io/builtin/terraform"]',
        "instances": [{"schema_version": 0, "attributes": attributes}],
    }
    return json.dumps(
        {
            "version": 4,
            "terraform_version": "1.11.4",
            "serial": 1,
            "lineage": lineage,
            "outputs": {},
            "resources": [resource],
        }
    ).encode()
