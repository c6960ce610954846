"""Microsoft Azure, by its Resource Manager."""
