"""Several processes, and what may happen to each of them."""
