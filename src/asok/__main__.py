"""`python -m asok` is the command line."""

from asok.cli import main

main()
