"""Hives, the files in which Windows keeps its registry: what lies in one, and where an indicator would lie. Pure.

The format is that of the files themselves, as others found it out: the libregf project (*Windows NT Registry File
format*) and M. Suhanov (*Windows registry file format specification*). See ADR 0018.
"""
