"""The catalogue's rules, by what they are about. Each is a generator of faults with a stable name."""
