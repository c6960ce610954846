"""The built-in credential store: one encrypted file on this host."""
