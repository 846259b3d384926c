"""What gwtui's clock is worth on this machine: a server that knows the truth, and how far the measurement is off it."""
