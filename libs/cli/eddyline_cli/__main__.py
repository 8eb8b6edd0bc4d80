"""``python -m eddyline_cli`` is the command ``eddyline``."""

from eddyline_cli.main import main

if __name__ == "__main__":
    main()
