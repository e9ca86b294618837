"""Making cohorts and training generators. Nothing above this folder imports it."""
