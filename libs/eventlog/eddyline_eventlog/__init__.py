"""The log: the port that every projection follows, its adapters (memory, file, Postgres, pushed) and the tables.

The log is the system of record: everything else can be deleted and rebuilt from it.
"""
