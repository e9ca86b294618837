"""Training the shipped `flow` bundle on the first simulated cohort: see `make`."""
