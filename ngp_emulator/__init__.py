"""Patches that make moto's server behave as AWS where a platform notices the difference.

The package imports nothing of ngp. Each file patches one service of the moto version that its `MOTO` names, and lists
its patches in `PATCHES`: functions without parameters that change classes of the moto in this process.
"""
