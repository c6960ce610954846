"""Tests of what the project gives to authors of plugins and to tests of large clusters."""
