"""`waggle export`: the log and every table at one sequence, as files that prove themselves.

log (pages of bytes) ──▶ log.jsonl, log.csv, log.parquet ──┐
log ── fold as of that sequence ──▶ tables/<projection>.<table>.* ──▶ manifest.json ──▶ DIR
the sealer's folder ──▶ seal/                              ──┘

`waggle repeat`: log.jsonl ── fold ──▶ rows ══ tables/*, with no server.
"""
