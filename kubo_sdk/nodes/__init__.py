"""What every machine of a cluster needs (files, systemd units), decided purely, and the one way to put it there."""
