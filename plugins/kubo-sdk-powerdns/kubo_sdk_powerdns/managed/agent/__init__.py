"""The agent on a machine that answers names.  Python's standard library and nothing else."""
