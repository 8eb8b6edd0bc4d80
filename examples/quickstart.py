"""Tell Eddyline what there is, ask for an order, say what the person did, ask again, and have it choose by itself."""

import os

from eddyline_client import Client

RANKER = os.environ.get("EDDYLINE_RANKER_URL", "http://127.0.0.1:7440")
INGEST = os.environ.get("EDDYLINE_INGEST_URL", "http://127.0.0.1:7441")

with Client(ranker=RANKER, ingest=INGEST) as client:
    client.item("boat", {"title": "Paper boat", "category": "toys", "price": 3.5})
    client.item("lamp", {"title": "Harbour lamp", "category": "home", "price": 29.0})
    client.item("kite", {"title": "Red kite", "category": "toys", "price": 12.0})

    # What was sent before is waited for: this slate knows all three.
    slate = client.rank(["boat", "lamp", "kite"], user="ada")
    print("first:", ", ".join(ranked.item for ranked in slate.items))

    client.interaction("kite", user="ada", slate=slate.slate, action="click")
    slate = client.rank(["boat", "lamp", "kite"], user="ada")
    print("after a click on the kite:", ", ".join(ranked.item for ranked in slate.items))
    print("features as of place", slate.features_sequence, "· model", slate.model or "none yet")

    # What ada has clicked is not shown to her again: `recommend.seen` in eddyline.yaml.
    slate = client.recommend(user="ada", n=2)
    print("of all that there is:", ", ".join(f"{found.item} ({found.source})" for found in slate.items))
