import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Link, State} from '../../../browser_bridge/hearth_bridge/extension/js/link.js';

// A small world that behaves: ports with a bridge behind them or not, storage, a native host, timers that wait to be rung.
class World {
  kept = null;
  sockets = [];
  timers = [];
  bridges = new Set();
  strangers = new Set();
  host = null;
  seen = true;
  store = {
    read: async () => this.kept,
    write: async (value) => { this.kept = value; },
    clear: async () => { this.kept = null; },
  };

  native = async (message) => {
    if (!this.host) throw new Error('no native host');
    return this.host(message);
  };

  open = (port, protocols) => {
    const socket = {port, protocols, sent: [], close: () => { socket.closed = true; }};
    socket.send = (text) => {
      const frame = JSON.parse(text);
      if (frame.path !== '/v1/status') socket.sent.push(frame);
      else if (this.strangers.has(port)) queueMicrotask(() => socket.onclose?.({code: 4401}));
      else queueMicrotask(() => socket.onmessage?.({data: JSON.stringify({id: frame.id, status: 200, body: {}})}));
    };
    this.sockets.push(socket);
    const there = this.bridges.has(port) || this.strangers.has(port);
    queueMicrotask(() => (there ? socket.onopen?.() : socket.onclose?.({code: 1006})));
    return socket;
  };

  later = (ms, then) => {
    this.timers.push({ms, then});
    return this.timers.length - 1;
  };

  never = () => {};
  isSeen = () => this.seen;
}

function linked(setUp) {
  const world = new World();
  setUp?.(world);
  const link = new Link(world);
  const states = [];
  link.onState(({name}) => states.push(name));
  return {world, link, states};
}

const last = (world) => world.sockets.at(-1);

test('a paired browser connects where it was, and shows its token as a protocol only', async () => {
  const {world, link, states} = linked((w) => { w.kept = {token: 'hth_t', port: 4748}; w.bridges.add(4748); });
  await link.start();
  assert.deepEqual(states, [State.CONNECTING, State.OPEN]);
  assert.deepEqual(last(world).protocols, ['hearth.v1', 'hearth.token.hth_t']);
  assert.deepEqual(last(world).sent, [{id: 2, follow: '/v1/events'}]);
});

test('without a token nothing is tried', async () => {
  const {world, link, states} = linked();
  await link.start();
  assert.deepEqual([states.at(-1), world.sockets.length], [State.UNPAIRED, 0]);
});

test('a bridge on another port is found through the native host, and remembered', async () => {
  const {world, link} = linked((w) => {
    w.kept = {token: 'hth_t', port: 4748};
    w.bridges.add(5555);
    w.host = (message) => (message.type === 'port' ? {port: 5555} : {});
  });
  await link.start();
  assert.deepEqual([link.state.name, world.kept.port], [State.OPEN, 5555]);
});

test('without a native host the ports next to its own are tried', async () => {
  const {world, link} = linked((w) => { w.kept = {token: 'hth_t', port: 4748}; w.bridges.add(4750); });
  await link.start();
  assert.deepEqual([link.state.name, world.kept.port], [State.OPEN, 4750]);
});

test('when nobody is there it waits longer and longer, but only while somebody looks', async () => {
  const {world, link, states} = linked((w) => { w.kept = {token: 'hth_t', port: 4748}; });
  await link.start();
  assert.equal(states.at(-1), State.OFFLINE);
  const pauses = [];
  for (let n = 0; n < 8; n++) {
    const {ms, then} = world.timers.at(-1);
    pauses.push(ms);
    await then();
  }
  assert.deepEqual(pauses, [500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
  world.seen = false;
  const rung = world.timers.length;
  await world.timers.at(-1).then();
  assert.equal(world.timers.length, rung);
  world.seen = true;
  world.bridges.add(4748);
  await link.retry();
  assert.equal(states.at(-1), State.OPEN);
});

test('after a break it goes on behind the last event that it saw', async () => {
  const {world, link, states} = linked((w) => { w.kept = {token: 'hth_t', port: 4748}; w.bridges.add(4748); });
  const seen = [];
  link.onEvent((event) => seen.push(event.seq));
  await link.start();
  const before = last(world);
  before.onmessage({data: '{"id":2,"events":[{"seq":41,"type":"x"}]}'});
  before.onmessage({data: '{"id":2,"events":[{"seq":42,"type":"x"}]}'});
  const asked = link.call('GET', '/v1/threads');
  before.onclose({code: 1006});
  await assert.rejects(asked, {code: 'backend_unavailable'});
  await link.whenOpen();
  assert.deepEqual(last(world).sent, [{id: 2, follow: '/v1/events', after_seq: 42}]);
  assert.deepEqual([seen, states.at(-1)], [[41, 42], State.OPEN]);
});

test('a stream that ends is asked for again on the same connection', async () => {
  const {world, link} = linked((w) => { w.kept = {token: 'hth_t', port: 4748}; w.bridges.add(4748); });
  await link.start();
  last(world).onmessage({data: '{"id":2,"events":[{"seq":9,"type":"x"}]}'});
  last(world).onmessage({data: '{"id":2,"end":true}'});
  world.timers.at(-1).then();
  assert.deepEqual(last(world).sent.at(-1), {id: 3, follow: '/v1/events', after_seq: 9});
});

test('a connection that breaks again and again is opened more and more slowly', async () => {
  const {world, link} = linked((w) => { w.kept = {token: 'hth_t', port: 4748}; w.bridges.add(4748); });
  await link.start();
  last(world).onclose({code: 1011});
  await link.whenOpen();
  const before = world.sockets.length;
  last(world).onclose({code: 1011});
  assert.deepEqual([world.sockets.length, link.state.name, world.timers.at(-1).ms], [before, State.CONNECTING, 1000]);
  await new Promise(setImmediate);
  await world.timers.at(-1).then();
  assert.equal(link.state.name, State.OPEN);
});

test('another Hearth on the old port is passed over, and the token is kept', async () => {
  const {world, link} = linked((w) => { w.kept = {token: 'hth_t', port: 4748}; w.strangers.add(4748).add(4749); w.bridges.add(4750); });
  await link.start();
  assert.deepEqual([link.state.name, world.kept.port], [State.OPEN, 4750]);
});

test('our own Hearth refusing us is said, and the token is kept for another try', async () => {
  const {world, link} = linked((w) => { w.kept = {token: 'hth_t', port: 4748}; w.strangers.add(4748); });
  await link.start();
  assert.deepEqual([link.state.name, world.kept.token], [State.UNPAIRED, 'hth_t']);
  world.bridges.add(4749);
  await link.retry();
  assert.equal(link.state.name, State.OPEN);
});

test('a stranger next door says nothing about us', async () => {
  const {link} = linked((w) => { w.kept = {token: 'hth_t', port: 4748}; w.strangers.add(4749); });
  await link.start();
  assert.equal(link.state.name, State.OFFLINE);
});

test('a revoked browser forgets its token and says that it was', async () => {
  const {world, link} = linked((w) => { w.kept = {token: 'hth_t', port: 4748}; w.bridges.add(4748); });
  await link.start();
  await last(world).onclose({code: 4401});
  assert.deepEqual([link.state.name, world.kept], [State.UNPAIRED, null]);
  assert.match(link.state.note, /access was ended/);
});

test('one click pairs and connects', async () => {
  const {world, link} = linked((w) => {
    w.bridges.add(4777);
    w.host = (message) => ({token: `hth_for_${message.origin}`, port: 4777, client: {}});
  });
  await link.start();
  await link.pairByNative('o', 'Chromium');
  assert.deepEqual([link.state.name, world.kept], [State.OPEN, {token: 'hth_for_o', port: 4777}]);
});

test('a code pairs and connects; a wrong one says how many tries are left', async () => {
  const {world, link} = linked((w) => w.bridges.add(4748));
  await link.start();
  const wrong = link.pairByCode('000000', 'Firefox');
  await new Promise(setImmediate);
  assert.deepEqual([last(world).protocols, last(world).sent], [['hearth.v1', 'hearth.pair'], [{pair: {code: '000000', name: 'Firefox'}}]]);
  last(world).onmessage({data: '{"problem":{"code":"wrong_code","detail":"Wrong.","tries_left":4}}'});
  await assert.rejects(wrong, {code: 'wrong_code', data: {tries_left: 4}});
  const right = link.pairByCode('482913', 'Firefox');
  await new Promise(setImmediate);
  last(world).onmessage({data: '{"paired":{"token":"hth_new","client":{}}}'});
  await right;
  assert.deepEqual([link.state.name, world.kept.token], [State.OPEN, 'hth_new']);
});

test('nobody behind the port is said with what to do', async () => {
  const {link} = linked();
  await link.start();
  await assert.rejects(link.pairByCode('482913', 'Firefox', 4799), {code: 'no_pairing', fix: /hearth pair browser/});
});

test('forgetting leaves nothing behind', async () => {
  const {world, link} = linked((w) => { w.kept = {token: 'hth_t', port: 4748}; w.bridges.add(4748); });
  await link.start();
  await link.forget();
  assert.deepEqual([link.state.name, world.kept, last(world).closed], [State.UNPAIRED, null, true]);
});

test('what another page of the extension did is taken over', async () => {
  const {world, link} = linked((w) => w.bridges.add(4748));
  await link.start();
  world.kept = {token: 'hth_t', port: 4748};
  await link.keptChanged(world.kept);
  assert.equal(link.state.name, State.OPEN);
  link.keptChanged(null);
  assert.equal(link.state.name, State.UNPAIRED);
});

test('a dead socket that looks open is found out when somebody looks', async () => {
  const {world, link} = linked((w) => { w.kept = {token: 'hth_t', port: 4748}; w.bridges.add(4748); });
  await link.start();
  const dead = last(world);
  link.retry();
  assert.ok('ping' in dead.sent.at(-1));
  world.timers.at(-1).then();
  await link.whenOpen();
  assert.notEqual(last(world), dead);
});
