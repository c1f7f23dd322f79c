"""``python -m wellread.cli``."""

from wellread.cli import main

main()
