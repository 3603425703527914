"""`python -m helpers` is the command line of the kit."""

from helpers.cli.program import main

if __name__ == "__main__":
    main()
