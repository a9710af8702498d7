"""The word index holds the texts alone: what stands beside a turn is known from its session."""

WORDS = """
pragma secure_delete=on;
drop trigger episode_added;
drop trigger episode_gone;
drop trigger episode_changed;
drop table episode_fts;
create virtual table episode_fts using fts5(
  text, content='episode', content_rowid='rowid', columnsize=0, tokenize='porter unicode61 remove_diacritics 2');
insert into episode_fts(episode_fts) values ('rebuild');
create virtual table episode_word using fts5vocab(episode_fts, instance);
create trigger episode_added after insert on episode begin
  insert into episode_fts(rowid, text) values (new.rowid, new.text); end;
create trigger episode_gone after delete on episode begin
  insert into episode_fts(episode_fts, rowid, text) values ('delete', old.rowid, old.text); end;
create trigger episode_changed after update of text on episode begin
  insert into episode_fts(episode_fts, rowid, text) values ('delete', old.rowid, old.text);
  insert into episode_fts(rowid, text) values (new.rowid, new.text); end;
"""
