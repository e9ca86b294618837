"""Checks beside the errors: what the PET is good for, what moves it, whom it fails, what it paints.

Each takes the results of an evaluation and returns tidy rows and a section of the report.
"""
