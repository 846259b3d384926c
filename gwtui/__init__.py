"""gwtui: a live monitor in the terminal for LLM gateways."""


def installed_version() -> str:
    """The version of the program; empty where it runs from a checkout that is not installed."""
    from importlib.metadata import PackageNotFoundError, version  # late: few ask, and it reads files

    try:
        return version("gwtui")
    except PackageNotFoundError:
        return ""
