"""Patches that make moto's server behave as AWS where a platform notices the difference.

The package imports nothing of ngp. Each file of `patches.SERVICES` patches one service of the moto version that its
`MOTO` names, and lists its patches in `PATCHES`: functions without parameters that change classes of the moto in this
process. `turns` stands before all services; its `WAITS` are functions of the moto that its `MOTO` names.
"""
