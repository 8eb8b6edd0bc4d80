"""What crosses a boundary: events, log records, subjects, feature messages, the HTTP forms and the bundle.

Types and their encodings only: no I/O, no clock. Every other package may import this one; it imports none.
"""
