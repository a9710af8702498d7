import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Wire} from '../../../browser_bridge/hearth_bridge/extension/js/wire.js';

function wired() {
  const sent = [];
  return {sent, wire: new Wire((text) => sent.push(JSON.parse(text)))};
}

test('each answer goes to who asked, in whatever order they come', async () => {
  const {sent, wire} = wired();
  const [one, two] = [wire.call('GET', '/v1/a'), wire.call('POST', '/v1/b', {x: 1}, 'k')];
  assert.deepEqual(sent, [{id: 1, method: 'GET', path: '/v1/a'}, {id: 2, method: 'POST', path: '/v1/b', body: {x: 1}, key: 'k'}]);
  wire.take('{"id":2,"status":201,"body":"two"}');
  wire.take('{"id":1,"status":200,"body":"one"}');
  assert.deepEqual([await one, await two], ['one', 'two']);
});

test('a problem of the bridge and one of the backend are told alike', async () => {
  const {wire} = wired();
  const calls = [wire.call('GET', '/v1/a'), wire.call('GET', '/v1/b')];
  wire.take('{"id":1,"problem":{"code":"forbidden","detail":"No.","fix":"Ask."}}');
  wire.take('{"id":2,"status":404,"body":{"code":"not_found","detail":"Gone.","tries_left":3}}');
  await assert.rejects(calls[0], {code: 'forbidden', detail: 'No.', fix: 'Ask.'});
  await assert.rejects(calls[1], {code: 'not_found', data: {tries_left: 3}});
});

test('a stream tells its events and its end, and no more after it was stopped', () => {
  const {sent, wire} = wired();
  const [seen, ends] = [[], []];
  const listen = {event: (event) => seen.push(event.seq), end: (problem) => ends.push(problem?.code ?? null)};
  wire.follow('/v1/events', 7, listen);
  const stop = wire.follow('/v1/tasks/r/events', null, listen);
  assert.deepEqual(sent, [{id: 1, follow: '/v1/events', after_seq: 7}, {id: 2, follow: '/v1/tasks/r/events'}]);
  wire.take('{"id":1,"events":[{"seq":8}]}');
  wire.take('{"id":2,"events":[{"seq":9}]}');
  stop();
  stop();
  wire.take('{"id":2,"events":[{"seq":10}]}');
  wire.take('{"id":1,"end":true}');
  assert.deepEqual([seen, ends, sent.slice(2)], [[8, 9], [null], [{id: 2, stop: true}]]);
});

test('a broken connection ends everything that was asked, once', async () => {
  const {wire} = wired();
  const ends = [];
  const call = wire.call('GET', '/v1/a');
  wire.follow('/v1/events', null, {event: () => {}, end: (problem) => ends.push(problem.code)});
  wire.broke();
  wire.broke();
  await assert.rejects(call, {code: 'backend_unavailable', retryable: true});
  assert.deepEqual(ends, ['backend_unavailable']);
});

test('frames that nobody waits for are passed over', () => {
  const {wire} = wired();
  wire.take('{"id":99,"status":200,"body":{}}');
  wire.take('{"news":"from a newer bridge"}');
  wire.take('{"pong":5}');
});

test('a ping is over when it is answered', async () => {
  const {sent, wire} = wired();
  const ping = wire.ping();
  wire.take(`{"pong":${sent[0].ping}}`);
  await ping;
});
