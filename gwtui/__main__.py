"""`python -m gwtui` is `gwtui`."""

from gwtui.cli import main

if __name__ == "__main__":
    main()
