"""`python -m tui` is `bp-tui`."""

from tui.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
