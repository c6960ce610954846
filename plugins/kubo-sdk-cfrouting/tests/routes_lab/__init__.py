"""What the tests of service routes run against."""
