"""An AWS emulator on this machine."""
