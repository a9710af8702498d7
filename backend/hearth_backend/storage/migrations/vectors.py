"""The tables between vectors and their index. Triggers tell the index of every vector that comes, changes or goes."""

VECTORS = """
create table searched_model(one integer primary key check (one = 1), model_id text not null) strict;
create table vector_index(model_id text primary key, whole integer not null) strict, without rowid;
create table index_feed(
  seq integer primary key autoincrement, model_id text not null, owner_rowid integer not null, version text not null,
  gone integer not null) strict;

create trigger vector_stored after insert on embedding
  when new.owner_kind = 'episode' and new.part = 'text'
    and exists (select 1 from vector_index where model_id = new.model_id) begin
  insert into index_feed(model_id, owner_rowid, version, gone)
    values (new.model_id, new.owner_rowid, hex(substr(new.vector, 1, 8)), 0); end;
create trigger vector_changed after update of vector on embedding
  when new.owner_kind = 'episode' and new.part = 'text' and old.vector <> new.vector
    and exists (select 1 from vector_index where model_id = new.model_id) begin
  insert into index_feed(model_id, owner_rowid, version, gone)
    values (old.model_id, old.owner_rowid, hex(substr(old.vector, 1, 8)), 1),
      (new.model_id, new.owner_rowid, hex(substr(new.vector, 1, 8)), 0); end;
create trigger vector_removed after delete on embedding
  when old.owner_kind = 'episode' and old.part = 'text'
    and exists (select 1 from vector_index where model_id = old.model_id) begin
  insert into index_feed(model_id, owner_rowid, version, gone)
    values (old.model_id, old.owner_rowid, hex(substr(old.vector, 1, 8)), 1); end;
"""
