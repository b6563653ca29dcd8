"""An AWS look-alike on this machine."""
