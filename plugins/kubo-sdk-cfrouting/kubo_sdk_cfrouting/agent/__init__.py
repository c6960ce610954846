"""What runs on masters.  It needs Python and nothing else, least of all the core."""
