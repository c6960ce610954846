"""What a plan's steps do: one verb a file, each of which may be run twice."""
