"""ngp turns an empty cloud region into a running platform."""

__version__ = "0.1.0"
