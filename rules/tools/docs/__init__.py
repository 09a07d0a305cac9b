"""A pack as a static site in clinical English: what a clinician reads, questions and signs."""

from rules.tools.docs.site import site, write_site
from rules.tools.words import Labels

__all__ = ["Labels", "site", "write_site"]
