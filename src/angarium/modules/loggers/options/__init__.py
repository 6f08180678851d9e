"""The options of the loggers, by subject: `logs` are those which run, and the model of the others.

`formats` are lines of your own making or another server's, `streams` go elsewhere.
"""
