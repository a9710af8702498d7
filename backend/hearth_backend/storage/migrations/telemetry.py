"""The schema of telemetry.db: usage and traces; losing the last second of it harms nobody (synchronous=NORMAL)."""

from hearth_backend.storage.migrations import Migration

_FIRST = """
create table usage(
  id integer primary key, at real not null, request_id text not null, run_id text, door text not null,
  client text not null, role text not null, model text not null, provider text not null, place text not null,
  input_tokens integer not null, output_tokens integer not null, cost real, ms real not null, first_ms real,
  ok integer not null, error text not null) strict;
create index usage_by_time on usage(at);
create index usage_by_run on usage(run_id) where run_id is not null;
create table span(
  span_id text primary key, trace_id text not null, parent_id text, name text not null, started real not null,
  ms real not null, ok integer not null, attributes text not null) strict;
create index span_by_trace on span(trace_id);
create index span_by_time on span(started);
"""

_SECOND = """
alter table usage add column thread_id text;
alter table usage add column agent text not null default '';
alter table usage add column instead_of text not null default '';
alter table usage add column because text not null default '';
"""

MIGRATIONS = (
    Migration(1, "usage and spans", _FIRST),
    Migration(2, "whom a call was for, and instead of whom", _SECOND),
)
