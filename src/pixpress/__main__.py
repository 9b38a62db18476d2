"""Run the command: `python -m pixpress`."""

from .cli import main

main()
