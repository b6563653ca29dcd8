"""Reports of a run or a bundle: one value, and files for people and programs."""
