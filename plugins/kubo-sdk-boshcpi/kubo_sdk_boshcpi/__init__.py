"""BOSH CPIs for kubo_sdk: one that is driven, and any CPI of kubo_sdk as one."""
