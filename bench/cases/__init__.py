"""The cases of the benchmark, one file a group. A group makes its cases one after the other, on demand."""
