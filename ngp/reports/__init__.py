"""Reports: what a run or a bundle does, as one value and as files for people and machines."""
