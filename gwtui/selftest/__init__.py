"""The accuracy of gwtui's clock on this machine, measured against a server that knows the true times."""
