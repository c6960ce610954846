"""The CPI ``static``: machines that exist already, listed in a file."""
