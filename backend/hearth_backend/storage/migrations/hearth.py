"""The schema of hearth.db: everything that must never be lost (synchronous=FULL)."""

from hearth_backend.storage.migrations import Migration
from hearth_backend.storage.migrations.facts import FACTS
from hearth_backend.storage.migrations.responses import RESPONSES
from hearth_backend.storage.migrations.vectors import VECTORS
from hearth_backend.storage.migrations.words import WORDS

_CORE = """
create table client(
  id text primary key, name text not null, kind text not null, secret_sha256 blob not null,
  scopes text not null, spaces text not null, created_at real not null, expires_at real not null,
  last_seen_at real, revoked_at real) strict;

create table thread(
  id text primary key, title text not null, agent_id text not null, owner text not null, door text not null,
  local_only integer not null, version integer not null default 1, created_at real not null,
  updated_at real not null) strict;
create index thread_by_use on thread(owner, updated_at desc, id);

create table run(
  rowid integer primary key, id text not null unique, agent_id text not null, thread_id text references thread(id),
  goal text not null, context text not null default '{}', lane text not null, priority integer not null,
  status text not null, owner text not null, door text not null, principal text not null, spaces text not null,
  local_only integer not null, webhook_url text, deadline_at real, idempotency_key text, request_sha256 blob,
  answer text, failure text, attempt integer not null default 0, fence integer not null default 0,
  lease_until real, cancel_requested integer not null default 0, trace_id text not null default '',
  created_at real not null, started_at real, finished_at real,
  lane_rank integer generated always as (
    case lane when 'inline' then 0 when 'chat' then 1 when 'ambient' then 2 else 3 end) virtual) strict;
create index run_queue on run(lane_rank, priority) where status = 'queued';
create index run_begun on run(status, lane) where status in ('running', 'waiting');
create index run_open_by_thread on run(thread_id)
  where thread_id is not null and status in ('queued', 'running', 'waiting');
create index run_by_client on run(owner) where owner <> 'person';
create unique index run_idempotent on run(owner, idempotency_key) where idempotency_key is not null;

create table step(
  run_id text not null references run(id) on delete cascade, seq integer not null, name text not null,
  call_id text not null default '', state text not null, attempt integer not null, output text, at real not null,
  primary key (run_id, seq)) strict, without rowid;

create table event(
  seq integer primary key autoincrement, at real not null, type text not null, run_id text, thread_id text,
  owner text not null, door text not null, data text not null) strict;
create index event_by_run on event(run_id, seq) where run_id is not null;

create table message(
  id text primary key, thread_id text not null references thread(id) on delete cascade, run_id text,
  role text not null, text text not null, answer text, created_at real not null, position integer not null) strict;
create unique index message_order on message(thread_id, position);
create unique index message_by_run on message(run_id, role) where run_id is not null;

create table feedback(
  message_id text primary key references message(id) on delete cascade, rating text not null, note text not null,
  owner text not null, at real not null) strict;

create table approval(
  id text primary key, run_id text references run(id), thread_id text, agent_id text not null, owner text not null,
  door text not null, tool text not null, args text not null, sha256 text not null, reach text not null,
  undo text not null, quotes text not null, status text not null, created_at real not null, expires_at real not null,
  decision text, decided_by text, decided_at real, decided_args text, text text, used_at real) strict;
create index approval_pending on approval(status, expires_at);
"""

_MEMORY = """
create table episode(
  rowid integer primary key, id text not null unique, space text not null, source text not null,
  external_id text not null, thread_id text, session text not null, speaker text not null, occurred_at real not null,
  recorded_at real not null, text text not null, window text not null, sha256 blob not null,
  trusted integer not null default 1, unique (space, source, external_id)) strict;
create index episode_by_space on episode(space);
create index episode_by_time on episode(space, occurred_at);
create index episode_by_session on episode(space, session, occurred_at, rowid);
create virtual table episode_fts using fts5(
  text, window, content='episode', content_rowid='rowid', tokenize='porter unicode61 remove_diacritics 2');
create trigger episode_added after insert on episode begin
  insert into episode_fts(rowid, text, window) values (new.rowid, new.text, new.window); end;
create trigger episode_gone after delete on episode begin
  insert into episode_fts(episode_fts, rowid, text, window) values ('delete', old.rowid, old.text, old.window); end;
create trigger episode_changed after update of text, window on episode begin
  insert into episode_fts(episode_fts, rowid, text, window) values ('delete', old.rowid, old.text, old.window);
  insert into episode_fts(rowid, text, window) values (new.rowid, new.text, new.window); end;

create table embedding(
  owner_kind text not null, owner_rowid integer not null, part text not null, model_id text not null,
  dim integer not null, vector blob not null,
  primary key (model_id, owner_kind, owner_rowid, part)) strict, without rowid;
create table outbox(
  seq integer primary key autoincrement, operation text not null, owner_kind text not null,
  owner_rowid integer not null) strict;

create table entity(
  rowid integer primary key, kind text not null, name text not null, canonical text not null,
  unique (kind, canonical)) strict;
create table alias(canonical text not null, entity integer not null references entity(rowid) on delete cascade,
  primary key (canonical, entity)) strict, without rowid;
create table fact(
  rowid integer primary key, id text not null unique, space text not null,
  subject integer not null references entity(rowid), predicate text not null,
  object integer references entity(rowid), value text, cardinality text not null check (cardinality in ('one', 'many')),
  valid_from real, valid_to real, recorded_at real not null, retracted_at real, confidence real not null,
  extractor text not null, superseded_by integer references fact(rowid),
  check ((object is null) <> (value is null))) strict;
create unique index fact_current on fact(space, subject, predicate)
  where cardinality = 'one' and valid_to is null and retracted_at is null;
create index fact_by_subject on fact(subject, predicate);
create index fact_by_object on fact(object) where retracted_at is null;
create table fact_source(
  fact integer not null references fact(rowid) on delete cascade,
  episode integer not null references episode(rowid) on delete cascade,
  span_start integer not null, span_end integer not null,
  primary key (fact, episode, span_start)) strict, without rowid;
create table block(
  label text primary key, text text not null, token_limit integer not null, version integer not null) strict;
"""

_BROWSERS = """
alter table client add column origin text not null default '';
create index client_by_origin on client(origin) where origin <> '';
"""

_PAGES = """
alter table episode add column title text not null default '';
create table consent(
  door text not null, subject text not null, level text not null check (level in ('off', 'ask', 'remember')),
  changed_at real not null, primary key (door, subject)) strict, without rowid;
"""

_KEEPING = """
alter table episode add column door text not null default '';
alter table episode add column origin text not null default 'note';
alter table episode add column project text not null default '';
alter table episode add column sensitivity text not null default 'normal'
  check (sensitivity in ('normal', 'local only'));
update episode set origin = case
  when source like 'http://%' or source like 'https://%' then 'page' when thread_id is not null then 'turn'
  else 'note' end;
create index episode_by_thread on episode(thread_id) where thread_id is not null;
create index episode_by_project on episode(project) where project <> '';
create index episode_by_age on episode(recorded_at);
create table forgotten(
  id text primary key, at real not null, expires_at real not null, episodes integer not null) strict, without rowid;
create table forgotten_row(
  rowid integer primary key, forgotten text not null references forgotten(id) on delete cascade, kind text not null,
  space text not null, row text not null) strict;
create index forgotten_row_of on forgotten_row(forgotten, kind);
"""

_ORCHESTRA = """
alter table step add column effect integer not null default 0;
alter table approval add column effect_key text not null default '';
alter table approval add column kind text not null default 'act' check (kind in ('act', 'unknown'));
create index approval_by_effect on approval(effect_key) where effect_key <> '';
create index approval_pending_by_run on approval(run_id) where status = 'pending' and run_id is not null;
alter table run add column not_before real;
alter table run add column parent_id text;
alter table run add column depth integer not null default 0;
alter table run add column budget text not null default '{}';
alter table run add column webhook_secret text;
create index run_by_parent on run(parent_id) where parent_id is not null;
create index run_put_off on run(not_before) where status = 'queued' and not_before is not null;
create table run_after(
  run_id text not null references run(id) on delete cascade,
  after_id text not null references run(id) on delete cascade,
  primary key (run_id, after_id)) strict, without rowid;
create index run_before on run_after(after_id);
create table delivery(
  run_id text primary key references run(id) on delete cascade, state text not null
    check (state in ('due', 'delivered', 'dead')), attempts integer not null default 0, next_at real not null,
  problem text not null default '', delivered_at real) strict;
create index delivery_due on delivery(next_at) where state = 'due';
"""

_TOOLS = """
alter table approval add column preview text not null default '';
alter table approval add column paths text not null default '[]';
alter table approval add column pattern text not null default '{}';
alter table approval add column subject text not null default '{}';
alter table approval add column decided_sha256 text not null default '';
alter table approval add column why text not null default '';
alter table approval add column remember text not null default 'once' check (remember in ('once', 'run'));
alter table approval add column used_by text not null default '';
create index approval_by_tool on approval(tool, decided_at) where status = 'decided';
create table approval_rule(
  id text primary key, tool text not null, pattern text not null, agent_id text not null, origin text not null,
  decision text not null check (decision in ('allow', 'deny')),
  state text not null check (state in ('proposed', 'active', 'dismissed')), because text not null default '[]',
  decided_by text not null default '', created_at real not null, decided_at real,
  unique (tool, pattern, agent_id, origin, decision)) strict;
create table reverse(
  id integer primary key, key text not null unique, run_id text not null, tool text not null, root text not null,
  state text not null check (state in ('prepared', 'done', 'undone')), at real not null) strict;
create index reverse_by_run on reverse(run_id);
create index reverse_by_time on reverse(at);
create table reverse_entry(
  reverse_id integer not null references reverse(id) on delete cascade, position integer not null,
  path text not null, before_kind text not null, before_mode integer not null, before_bytes blob not null,
  before_mtime integer not null, after_kind text not null, after_mode integer not null, after_sha256 text not null,
  primary key (reverse_id, position)) strict;
"""

_WORKING = """
create table working(
  thread_id text primary key references thread(id) on delete cascade, task text not null, door text not null,
  changed_at real not null) strict, without rowid;
"""

_WORKED = """
alter table run add column begun_at real;
alter table run add column worked_s real not null default 0;
"""

MIGRATIONS = (
    Migration(1, "core", _CORE),
    Migration(2, "memory", _MEMORY),
    Migration(3, "browsers", _BROWSERS),
    Migration(4, "pages", _PAGES),
    Migration(5, "keeping", _KEEPING),
    Migration(6, "vectors", VECTORS),
    Migration(7, "facts", FACTS),
    Migration(8, "responses", RESPONSES),
    Migration(9, "orchestra", _ORCHESTRA),
    Migration(10, "tools", _TOOLS),
    Migration(11, "working", _WORKING),
    Migration(12, "words", WORDS),
    Migration(13, "worked", _WORKED),
)
