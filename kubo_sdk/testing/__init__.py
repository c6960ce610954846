"""For authors of plugins: the contract suites every provider passes.  Needs the extra ``testing``."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("kubo_sdk.testing.contracts")
