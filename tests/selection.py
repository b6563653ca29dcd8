"""Which tests are integration tests, and the order in which a worker runs them."""

INTEGRATION = ("e2e", "faults", "integration")  # every test in these folders has this mark; those of modules say it


def spread(items):
    """Put slow files first, so that short ones fill the end, and among them those that wait for timers and machines.

    While they wait, other files compute.
    """
    files = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    waiting = [each for each in files.values() if any(map(_waits, each))]
    others = [each for each in files.values() if each not in waiting]
    slow = [each for each in others if any(any(item.iter_markers("slow")) for item in each)]
    order = [*slow, *(each for each in others if each not in slow)]
    step = len(slow) // len(waiting) if waiting else 0
    for number, each in enumerate(waiting):
        order.insert(number * (step + 1), each)
    return [item for each in order for item in each]


def _waits(item):
    """Whether a test applies modules of the catalogue or boots machines."""
    applies = any(mark.args[:1] == ("applied",) for mark in item.iter_markers("proves"))
    return applies or any(any(item.iter_markers(name)) for name in ("docker", "nspawn"))
