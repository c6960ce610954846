"""Tests of kubo-sdk-libcloud."""
