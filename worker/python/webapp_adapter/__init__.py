"""Runs a WSGI application for the worker: imports it, then serves the requests that the front hands over.

Standard library only, Python 3.9 or newer. process.py is the order of a process's life; the rest is one concept a file.
"""
