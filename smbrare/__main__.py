"""Run the command line with ``python -m smbrare``."""

from smbrare.cli import main

if __name__ == "__main__":
    main()
