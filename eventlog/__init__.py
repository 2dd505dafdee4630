"""The event log as a library: knows that there are facts, never which ones.

message    a fact <-> the bytes and headers on the wire, and the hash chain of a stream id
decider    the three functions of a room's decision; folding
append     facts into the log: exact concurrency, exactly once, group commit
read       facts out of the log: one stream id, the whole log, up to a sequence or moment
execute    load, decide, append; look again on conflict
project    follow the log; fold facts into rows; one transaction
rebuild    the same, beside the live tables, compared, swapped
sealing    personal fields: sealed when written, opened when read
service    FastStream wiring with safe settings: the only place that spells them
"""
