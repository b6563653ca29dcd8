"""The sandbox: an AWS emulator on this machine."""
