"""What two runs must have in common: everything but the moment, and what their account made up by chance."""

import base64
import gzip
import json
import re
from contextlib import suppress

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00|[+-]\d{4})?( UTC)?")
_RANDOM = [
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b(?!/)"), "ADDRESS"),
    (re.compile(r"(?:ip|ec2)-\d+-\d+-\d+-\d+"), "ADDRESS"),
    (
        re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:(?<=[^0-9a-zA-Z])|^)(?!\d{12}\b)[0-9a-f]{8,}\b"),
        "ID",
    ),
    (re.compile(r"(?<![A-Za-z0-9])(?:Z[A-Z0-9]{9,}|[A-Z0-9]{14,}|(?=[a-z]*[0-9])[a-z0-9]{20})(?![A-Za-z0-9])"), "ID"),
    (re.compile(r"(?<=-)[A-Za-z0-9]{6}(?=$|\|)"), "ID"),
    (re.compile(r"(?<=:secret:)([^\s\"']+-)[A-Za-z0-9]{6}\b"), r"\1ID"),
    (re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{48}(?![A-Za-z0-9])"), "ID"),  # the version of a backup plan
    (re.compile(r"\b\d{20,}\b"), "ID"),
    (re.compile(r"RequestID: [^,]+"), "RequestID"),
    # a certificate is validated while its reader waits or a moment later: the account's own clock says which
    (re.compile(r"\b(?:PENDING_VALIDATION|ISSUED)\b"), "STATUS"),
    # Ctrl-C reaches a provisioner's command from the group and from Terraform: either may be first, without a proxy too
    (re.compile(r"signal: (?:killed|interrupt)"), "SIGNAL"),
]
_GZIP = "H4sI"  # what a zipped text begins with in base64: a machine's user data, in which ids stand
# A call under way at a crash is ended by the connection or by the process, whose end Terraform watches too: either may
# be first, without a proxy too
_GONE = [
    (re.compile("Plugin did not respond|Request cancelled"), "GONE"),
    (
        re.compile(
            r"The plugin encountered an error, and failed to respond to the (\S+) call\. "
            r"The plugin logs may contain more details\."
        ),
        r"\1",
    ),
    (re.compile(r"The (\S+) request was cancelled\."), r"\1"),
]
_DIGITS = re.compile(r"\d{1,10}")  # as an id: the checksum of a text in which ids stand, such as a policy document
_BY_CHANCE = "available_ip_address_count"  # of a subnet: an autoscaling group spreads its machines as it likes
# Of a whole document; an attribute of this name is compared. The serial counts how often a state was written, and
# what two objects of one moment have changed is written once or twice.
_OWN = ("timestamp", "lineage", "serial")


def level(document, *, random, crash=False, words=()):
    """`document` without what no two runs share. With `random` also without what an account makes up.

    With `crash` the two ways in which Terraform tells one are the same. `words` are this run's own (its folder, its
    sandbox's address) and what to say for them.
    """
    if isinstance(document, dict):
        document = {key: one for key, one in document.items() if key not in _OWN}
        if "relevant_attributes" in document:  # Terraform gives them in the order of a map
            document["relevant_attributes"] = sorted(document["relevant_attributes"], key=json.dumps)
    patterns = [(_MOMENT, "TIME"), *(_RANDOM if random else ()), *(_GONE if crash else ())]
    return _level(document, patterns, words, in_order=not random)


def _level(value, patterns, words, *, in_order):
    def deeper(one):
        return _level(one, patterns, words, in_order=in_order)

    if isinstance(value, dict):
        made = {deeper(key): deeper(one) for key, one in value.items() if in_order or key != _BY_CHANCE}
        is_checksum = not in_order and _DIGITS.fullmatch(str(made.get("id")))
        return made | {"id": "ID"} if is_checksum else made
    if isinstance(value, (list, tuple)):
        made = [deeper(one) for one in value]
        # what is sorted by random ids comes in another order each time
        return made if in_order else sorted(made, key=lambda one: json.dumps(one, sort_keys=True, default=str))
    if not isinstance(value, str):
        return value
    if value.startswith(("{", "[")) and not in_order:  # policies and the like, in which ids stand
        with suppress(ValueError):
            return deeper(json.loads(value))
    if value.startswith(_GZIP):
        value = gzip.decompress(base64.b64decode(value)).decode()
    for word, name in words:
        value = value.replace(word, name)
    for pattern, name in patterns:
        value = pattern.sub(name, value)
    return value


def require_equal(seen):
    """Two walks saw the same: steps, exit codes, changes, diagnostics and documents."""
    plain, served = seen
    assert [step[:3] for step in served] == [step[:3] for step in plain]
    for one, other in zip(plain, served, strict=True):
        assert differences(one[3:], other[3:], one[0]) == []


def differences(plain, served, where):
    """Every leaf in which the two differ."""
    if isinstance(plain, dict) and isinstance(served, dict):
        keys = sorted({*plain, *served})
        return [one for key in keys for one in differences(plain.get(key), served.get(key), f"{where}.{key}")]
    if isinstance(plain, (list, tuple)) and isinstance(served, (list, tuple)) and len(plain) == len(served):
        pairs = enumerate(zip(plain, served, strict=True))
        return [one for at, (a, b) in pairs for one in differences(a, b, f"{where}[{at}]")]
    return [] if plain == served else [f"{where}: {plain!r} != {served!r}"]
