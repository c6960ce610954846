"""One cloud each, behind the small `Cloud` protocol."""
