"""The credential store port on top of the client."""
