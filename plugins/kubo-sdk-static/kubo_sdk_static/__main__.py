"""``python -m kubo_sdk_static``: the command ``kubo-static``."""

from __future__ import annotations

import sys

from kubo_sdk_static.command import main

sys.exit(main())
