"""Property tests draw the same examples every time, and no time limit decides any of them.

``HYPOTHESIS_PROFILE=search`` draws new ones, and more of them: for looking, not for judging a change.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("judge", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "judge"))
