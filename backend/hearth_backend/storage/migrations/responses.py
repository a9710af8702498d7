"""Answers that a program asked to have kept, so that it can go on from them (OpenAI's responses)."""

RESPONSES = """
create table response(
  id text primary key, owner text not null, previous text, created_at real not null,
  input text not null, answer text not null) strict, without rowid;
create index response_by_age on response(created_at);
"""
