"""The ranker: one features request, one model run, an answer; the slate is logged behind it."""
