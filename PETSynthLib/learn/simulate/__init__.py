"""A first simulated cohort with known truth (every number in the tables of these files).

`people` draws who is scanned, `anatomy` makes a brain, `mri` renders it, `uptake` gives its PET as
a few linear basis maps, `store` writes the cohort to disk.
"""
