"""The command ``kubo``: every command is a few calls of the public API.  The only part that prints."""
