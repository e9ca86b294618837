"""The panel: the only folder of the module that knows ``qt`` and ``ctk``; it computes nothing."""
