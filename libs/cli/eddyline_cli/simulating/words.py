"""The words that a made-up shop's catalogue consists of: our own lists, nobody's data."""

from __future__ import annotations

NOUNS: dict[str, tuple[str, ...]] = {
    "lighting": ("floor lamp", "table lamp", "pendant", "lantern", "wall light", "string lights"),
    "seating": ("armchair", "stool", "bench", "rocking chair", "dining chair", "pouffe"),
    "tables": ("coffee table", "side table", "desk", "console", "tray table", "dining table"),
    "textiles": ("throw", "cushion", "rug", "curtain", "bedspread", "tablecloth"),
    "kitchen": ("teapot", "mixing bowl", "carving board", "mug", "casserole", "spice rack"),
    "garden": ("planter", "watering can", "hammock", "parasol", "bird bath", "fire bowl"),
    "storage": ("basket", "wardrobe", "bookcase", "coat rack", "chest", "shoe shelf"),
    "decor": ("vase", "mirror", "wall clock", "candle holder", "picture frame", "bookend"),
    "bath": ("towel set", "soap dish", "bath mat", "shower caddy", "robe", "laundry bin"),
    "office": ("pen tray", "desk pad", "letter rack", "task chair", "pinboard", "paper bin"),
}
"""What is sold, by category."""

STYLES = ("Nordic", "Rustic", "Classic", "Industrial", "Glamour", "Retro")
"""The first half and the second half are liked by turns."""

MATERIALS = ("oak", "linen", "brass", "ceramic", "wool", "steel", "glass", "bamboo", "leather", "cork")

NAMES = (
    *("Alma", "Birk", "Calla", "Dune", "Eira", "Fjord", "Gale", "Haven", "Iris", "Juno", "Kelp", "Lumen"),
    *("Moss", "Nova", "Opal", "Pine", "Quill", "Reed", "Sage", "Tarn", "Umber", "Vale", "Wren", "Yarrow"),
)
"""Lines that the items belong to."""
