"""Honest evaluation: metrics, controls, oracle, information ladder, statistics, report."""
