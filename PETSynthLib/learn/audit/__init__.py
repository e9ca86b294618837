"""Can a model be believed on somebody's own pairs of MRI and PET? Four suspicions, one report.

`leakage`: was somebody seen before; `judged`: would the clinic alone do as well, do the intervals
hold what they promise, how many healthy people are called abnormal; `audit` asks them all.
"""
