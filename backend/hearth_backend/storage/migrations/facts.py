"""The schema of facts, entities, summaries and blocks: one step of hearth.db."""

from typing import Final

FACTS: Final = """
-- nothing was ever written to the first form of these tables
drop table fact_source;
drop table fact;
drop table alias;
drop table entity;
drop table block;

create table entity(
  rowid integer primary key, id text not null unique, space text not null, kind text not null, name text not null,
  canonical text not null, unique (space, canonical, kind)) strict;
create table alias(
  space text not null, canonical text not null, entity integer not null references entity(rowid) on delete cascade,
  name text not null, primary key (space, canonical, entity)) strict, without rowid;
create index alias_of on alias(entity);
create table fact(
  rowid integer primary key, id text not null unique, space text not null,
  subject integer not null references entity(rowid), predicate text not null,
  object integer references entity(rowid), value text, canonical text not null,
  cardinality text not null check (cardinality in ('one', 'many')), trusted integer not null,
  valid_from real not null, valid_to real, recorded_at real not null, retracted_at real, confidence real not null,
  extractor text not null, superseded_by integer references fact(rowid) on delete set null,
  check ((object is null) <> (value is null)), check (valid_to is null or valid_from <= valid_to)) strict;
create unique index fact_current on fact(space, subject, predicate, trusted)
  where cardinality = 'one' and valid_to is null and retracted_at is null;
create unique index fact_once on fact(space, subject, predicate, canonical, trusted)
  where valid_to is null and retracted_at is null;
create index fact_by_subject on fact(subject, predicate);
create index fact_by_object on fact(object) where object is not null;
create index fact_by_time on fact(space, valid_from);
create index fact_superseded on fact(superseded_by) where superseded_by is not null;
create table fact_source(
  rowid integer primary key, fact integer not null references fact(rowid) on delete cascade,
  episode integer references episode(rowid) on delete cascade,
  role text not null check (role in ('says', 'ends')), at real not null, recorded_at real not null, retracted_at real,
  span_start integer not null, span_end integer not null, confidence real not null, extractor text not null,
  check (episode is not null or role = 'ends')) strict;
create index fact_source_of on fact_source(fact);
create index fact_source_episode on fact_source(episode);
create table fact_term(
  term text not null, fact integer not null references fact(rowid) on delete cascade,
  primary key (term, fact)) strict, without rowid;
create index fact_term_of on fact_term(fact);

create table to_read(episode integer primary key references episode(rowid) on delete cascade) strict;
create trigger episode_to_read after insert on episode when new.trusted = 1 and new.space <> 'hearth-docs' begin
  insert or ignore into to_read(episode) values (new.rowid); end;
insert into to_read(episode) select rowid from episode where trusted = 1 and space <> 'hearth-docs';

create table summary(
  rowid integer primary key, id text not null unique, space text not null,
  level text not null check (level in ('session', 'week')), key text not null, first_at real not null,
  last_at real not null, made_at real not null, maker text not null, unique (space, level, key)) strict;
create index summary_by_time on summary(space, last_at);
create table summary_line(
  rowid integer primary key, summary integer not null references summary(rowid) on delete cascade,
  place integer not null, text text not null) strict;
create index summary_line_of on summary_line(summary, place);
create table summary_source(
  line integer not null references summary_line(rowid) on delete cascade,
  episode integer not null references episode(rowid) on delete cascade,
  primary key (line, episode)) strict, without rowid;
create index summary_source_episode on summary_source(episode);

create table block(
  space text not null, label text not null, text text not null, token_limit integer not null,
  version integer not null, changed_at real not null, changed_by text not null,
  primary key (space, label)) strict, without rowid;
create table block_history(
  space text not null, label text not null, version integer not null, text text not null,
  token_limit integer not null, changed_at real not null, changed_by text not null,
  primary key (space, label, version)) strict, without rowid;
"""
