"""Many subjects at once, on this machine or on many."""
