"""One training engine for every method: see `engine.train`."""
