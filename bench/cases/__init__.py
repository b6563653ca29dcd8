"""The cases of the benchmark, one file a group; each group makes its cases one after the other, when it is asked."""
