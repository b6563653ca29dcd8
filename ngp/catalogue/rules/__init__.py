"""The catalogue's rules, by subject. Each is a generator of faults with a stable name."""
