"""`python -m gwtui` is `gwtui`."""

from __future__ import annotations

import sys


def main() -> None:
    """The program. A Ctrl-C that comes while it is still being loaded ends it as quietly as a later one."""
    try:
        from gwtui.cli import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
