"""What is normal at an age and sex, learnt from healthy people's PET, and how far a person is off.

A database is a folder, ``meta.json`` and ``arrays.npz``: regressions and counts, no persons.
"""
