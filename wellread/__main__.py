"""``python -m wellread``."""

from wellread.cli import main

main()
