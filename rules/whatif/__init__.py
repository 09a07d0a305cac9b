"""What a decision turned on: the smallest changes of facts that would change it, and which unknown would decide most.

Knows nothing of FHIR. It is apart from ``rules`` so that deciding does not pay for what only explaining needs.
"""

from rules.whatif.model import Change, Goal, Setting, Turning, Unknown
from rules.whatif.whatif import MOST_FACTS, WhatIf

__all__ = ["MOST_FACTS", "Change", "Goal", "Setting", "Turning", "Unknown", "WhatIf"]
