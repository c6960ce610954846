"""``python -m kubo_sdk`` is ``kubo``."""

from __future__ import annotations

import sys

from kubo_sdk.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
