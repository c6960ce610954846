"""The command ``kubo-cpi``: any CPI of kubo_sdk as a BOSH CPI executable."""
