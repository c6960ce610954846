"""One suite a port.  Subclass it in a test module and give it the fixture it asks for."""
