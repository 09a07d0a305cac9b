"""``python -m adapter`` is the ``perinatal`` command."""

from adapter.cli import main

main()
